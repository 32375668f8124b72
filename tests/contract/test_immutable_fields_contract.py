"""That a server says of a change which it never makes that this cannot be, and not that the object is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes_targets import Namespace

from ppmlctl.clients.kubernetes import Condition, InvalidError, ObjectKey, key_of

RBAC = "rbac.authorization.k8s.io/v1"
LABELS = {"app": "a"}
POD = {
    "automountServiceAccountToken": False,
    "containers": [{"name": "main", "image": "ppml/pause:1"}],
    "restartPolicy": "Never",
}
WORKLOAD = {"metadata": {"labels": {**LABELS, "other": "b"}}, "spec": {**POD, "restartPolicy": "Always"}}
JOB_POD = {"spec": POD}
VOLUME = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "nfs": {"server": "a", "path": "/"}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}


def role(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}


CASES = [
    pytest.param(RBAC, "RoleBinding", {"roleRef": role("view")}, {"roleRef": role("edit")}, id="role of a binding"),
    pytest.param(RBAC, "ClusterRoleBinding", {"roleRef": role("view")}, {"roleRef": role("edit")}, id="cluster role"),
    pytest.param("v1", "Secret", {"type": "example.com/a"}, {"type": "example.com/b"}, id="type of a secret"),
    pytest.param(
        "v1",
        "ConfigMap",
        {"immutable": True, "data": {"a": "1"}},
        {"immutable": True, "data": {"a": "2"}},
        id="immutable data",
    ),
    pytest.param("v1", "ConfigMap", {"immutable": True}, {"immutable": False}, id="immutability itself"),
    pytest.param(
        "apps/v1",
        "Deployment",
        {"spec": {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": WORKLOAD}},
        {"spec": {"replicas": 0, "selector": {"matchLabels": {**LABELS, "other": "b"}}, "template": WORKLOAD}},
        id="selector",
    ),
    pytest.param(
        "apps/v1",
        "StatefulSet",
        {"spec": {"replicas": 0, "serviceName": "a", "selector": {"matchLabels": LABELS}, "template": WORKLOAD}},
        {"spec": {"replicas": 0, "serviceName": "b", "selector": {"matchLabels": LABELS}, "template": WORKLOAD}},
        id="service of a stateful set",
    ),
    pytest.param(
        "batch/v1",
        "Job",
        {"spec": {"parallelism": 0, "template": JOB_POD}},
        {"spec": {"parallelism": 0, "template": {"spec": {**POD, "hostNetwork": True}}}},
        id="template of a job",
    ),
    pytest.param(
        "v1",
        "Service",
        {"spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
        {"spec": {"clusterIP": "10.96.200.200", "ports": [{"port": 80}]}},
        id="address of a service",
    ),
    pytest.param(
        "v1",
        "PersistentVolume",
        {"spec": VOLUME},
        {"spec": {**VOLUME, "nfs": {"server": "b", "path": "/"}}},
        id="source of a volume",
    ),
    pytest.param(
        "v1",
        "PersistentVolumeClaim",
        {"spec": CLAIM},
        {"spec": {**CLAIM, "storageClassName": "other"}},
        id="class of a claim",
    ),
    pytest.param(
        "v1",
        "Pod",
        {"spec": POD},
        {"spec": {**POD, "containers": [{**POD["containers"][0], "env": [{"name": "A", "value": "1"}]}]}},
        id="variables of a pod",
    ),
    pytest.param(
        "storage.k8s.io/v1",
        "StorageClass",
        {"provisioner": "example.com/a"},
        {"provisioner": "example.com/b"},
        id="provisioner",
        marks=pytest.mark.real,  # the sandbox has no such kind
    ),
]


@pytest.mark.parametrize(("api_version", "kind", "before", "after"), CASES)
def test_it_is_refused(
    namespace: Namespace,
    api_version: str,
    kind: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    resource = namespace.client.resource(api_version, kind)
    manifest = namespace.manifest(kind, namespace.name, api_version, **before)
    if not resource.namespaced:
        del manifest["metadata"]["namespace"]
    if kind == "Pod":
        account = Condition("it exists", lambda live: live is not None)
        namespace.client.wait(namespace.key("ServiceAccount", "default"), account, 30)
    live = namespace.client.apply(manifest)
    key = key_of(live)
    try:
        with pytest.raises(InvalidError) as refused:
            namespace.client.apply({**manifest, **after}, dry_run=True)
        assert refused.value.says_unchangeable
        assert refused.value.words
    finally:
        if not resource.namespaced:
            namespace.client.delete(ObjectKey(key.api_version, key.kind, "", key.name))
