"""Generated manifests of twelve kinds, with empty, null, zero, defaulted and unknown fields, applied twice.

Whatever a server makes of them: the second plan is empty, and nothing is ever replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes_world import CLUSTERS, Task, World, cluster, world_of

from ppmlctl.clients.kubernetes import Manifest, key_of
from ppmlctl.diagnostics import EngineError, TransientError
from ppmlctl.modules.k8s_object import K8sObject
from ppmlctl.planning import ActionKind

LABELS = {"app": "a"}
EMPTY = st.sampled_from([None, "", 0, False, {}, []])
"""Each where it is no fault of its type; where it is, the server says so once and nothing is made."""


def container() -> st.SearchStrategy[dict[str, Any]]:
    amount = st.sampled_from(["1000m", 1, 0.5, "0.5", "1", 0])
    return st.fixed_dictionaries(
        {"name": st.just("c"), "image": st.just("ppml/pause:1")},
        optional={
            "args": st.sampled_from([[], None, ["a"]]),
            "command": st.sampled_from([[], None]),
            "env": st.sampled_from([[], None, [{"name": "A", "value": ""}, {"name": "B"}]]),
            "imagePullPolicy": st.sampled_from(["", None, "Always"]),
            "ports": st.sampled_from([[], [{"containerPort": 80}, {"containerPort": 81, "hostPort": 0}]]),
            "resources": st.fixed_dictionaries({}, optional={"requests": st.fixed_dictionaries({"cpu": amount})}),
            "stdin": st.sampled_from([False, None, True]),
            "securityContext": st.sampled_from([{}, None, {"privileged": False, "runAsUser": 0}]),
            "terminationMessagePath": st.sampled_from(["", None]),
            "volumeMounts": st.sampled_from([[], None]),
        },
    )


def pod(policy: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"restartPolicy": st.just(policy), "containers": st.lists(container(), min_size=1, max_size=1)},
        optional={
            "automountServiceAccountToken": st.sampled_from([False, True, None]),
            "hostNetwork": st.sampled_from([False, None]),
            "nodeSelector": st.sampled_from([{}, None, {"a": ""}]),
            "schedulerName": st.sampled_from(["", None]),
            "terminationGracePeriodSeconds": st.sampled_from([0, 30, None]),
            "tolerations": st.sampled_from([[], None, [{"operator": "Exists"}]]),
            "volumes": st.sampled_from(
                [[], None, [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}]]
            ),
        },
    )


def template(policy: str) -> st.SearchStrategy[dict[str, Any]]:
    metadata = st.sampled_from([{"labels": LABELS}, {"labels": LABELS, "annotations": {}, "creationTimestamp": None}])
    return st.fixed_dictionaries({"metadata": metadata, "spec": pod(policy)})


def workload(**optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    wanted = {"selector": st.just({"matchLabels": LABELS}), "template": template("Always"), "replicas": st.just(0)}
    return st.fixed_dictionaries(wanted, optional=optional)


ACCESS = st.just(["ReadWriteOnce"])
SIZE = st.sampled_from(["1Gi", "1024Mi", 1073741824])
RBAC = "rbac.authorization.k8s.io"
RULES = st.lists(
    st.fixed_dictionaries(
        {"apiGroups": st.just([""]), "resources": st.just(["pods"]), "verbs": st.just(["get"])},
        optional={"resourceNames": st.sampled_from([[], None])},
    ),
    max_size=2,
)
PORTS = [
    [{"port": 80}],
    [{"port": 80, "targetPort": "web", "name": "a", "nodePort": 0}, {"port": 80, "protocol": "UDP", "name": "b"}],
]
KINDS: dict[str, tuple[str, st.SearchStrategy[dict[str, Any]]]] = {
    "ConfigMap": (
        "v1",
        st.fixed_dictionaries(
            {},
            optional={
                "data": st.sampled_from([{}, None, {"a": "", "b": "1"}]),
                "binaryData": st.sampled_from([{}, None, {"c": "AAEC\nAwQ=\n"}]),
                "immutable": st.sampled_from([False, None]),
            },
        ),
    ),
    "ServiceAccount": (
        "v1",
        st.fixed_dictionaries(
            {},
            optional={
                "automountServiceAccountToken": st.sampled_from([False, None]),
                "imagePullSecrets": st.sampled_from([[], None, [{"name": "x"}]]),
            },
        ),
    ),
    "Service": (
        "v1",
        st.fixed_dictionaries(
            {"ports": st.sampled_from(PORTS)},
            optional={
                "clusterIP": st.sampled_from(["", None, "None"]),
                "externalIPs": st.sampled_from([[], None]),
                "publishNotReadyAddresses": st.sampled_from([False, None]),
                "selector": st.sampled_from([{}, None, LABELS]),
                "sessionAffinity": st.sampled_from(["", None, "None"]),
                "type": st.sampled_from(["", None, "ClusterIP"]),
            },
        ).map(lambda spec: {"spec": spec}),
    ),
    "PersistentVolumeClaim": (
        "v1",
        st.fixed_dictionaries(
            {
                "accessModes": ACCESS,
                "resources": st.fixed_dictionaries({"requests": st.fixed_dictionaries({"storage": SIZE})}),
            },
            optional={
                "storageClassName": st.sampled_from(["none", None]),
                "volumeName": st.sampled_from(["", None]),
                "volumeMode": st.sampled_from(["Filesystem", None]),
                "dataSource": st.sampled_from([None, {"kind": "ConfigMap", "name": "x"}]),
            },
        ).map(lambda spec: {"spec": spec}),
    ),
    "PersistentVolume": (
        "v1",
        st.fixed_dictionaries(
            {
                "accessModes": ACCESS,
                "capacity": st.fixed_dictionaries({"storage": SIZE}),
                "nfs": st.sampled_from([{"server": "a", "path": "/"}, {"server": "a", "path": "/", "readOnly": False}]),
            },
            optional={
                "storageClassName": st.sampled_from(["none", "", None]),
                "mountOptions": st.sampled_from([[], None]),
            },
        ).map(lambda spec: {"spec": spec}),
    ),
    "Deployment": (
        "apps/v1",
        workload(
            minReadySeconds=st.sampled_from([0, None]),
            paused=st.sampled_from([False, None]),
            strategy=st.sampled_from([{}, None, {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}]),
        ).map(lambda spec: {"spec": spec}),
    ),
    "StatefulSet": (
        "apps/v1",
        workload(
            serviceName=st.sampled_from(["", "a"]),
            podManagementPolicy=st.sampled_from(["", None]),
            updateStrategy=st.sampled_from([{}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}]),
        ).map(lambda spec: {"spec": spec}),
    ),
    "Job": (
        "batch/v1",
        st.fixed_dictionaries(
            {"template": template("Never"), "parallelism": st.just(0)},
            optional={
                "backoffLimit": st.sampled_from([0, None]),
                "ttlSecondsAfterFinished": st.sampled_from([0, None, 60]),
                "activeDeadlineSeconds": st.sampled_from([100, None]),
            },
        ).map(lambda spec: {"spec": spec}),
    ),
    "Role": (f"{RBAC}/v1", RULES.map(lambda rules: {"rules": rules})),
    "ClusterRole": (
        f"{RBAC}/v1",
        st.fixed_dictionaries({"rules": RULES}, optional={"aggregationRule": st.none()}),
    ),
    "RoleBinding": (
        f"{RBAC}/v1",
        st.fixed_dictionaries(
            {
                "roleRef": st.sampled_from(
                    [{"apiGroup": RBAC, "kind": "Role", "name": "r"}, {"kind": "Role", "name": "r"}]
                ),
                "subjects": st.sampled_from(
                    [
                        [],
                        None,
                        [{"kind": "User", "name": "u"}],
                        [{"kind": "ServiceAccount", "name": "d", "namespace": "n"}],
                    ]
                ),
            }
        ),
    ),
    "NetworkPolicy": (
        "networking.k8s.io/v1",
        st.fixed_dictionaries(
            {"podSelector": st.sampled_from([{}, {"matchLabels": LABELS}])},
            optional={
                "ingress": st.sampled_from([[], None, [{}], [{"ports": [{"port": 80}]}]]),
                "policyTypes": st.sampled_from([[], None, ["Ingress"]]),
            },
        ).map(lambda spec: {"spec": spec}),
    ),
}

ONLY_REAL = {"NetworkPolicy"}
"""Kinds that the sandbox does not serve."""


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        yield made


_TEXTS = {"labels", "matchLabels", "annotations", "nodeSelector"}


def places(value: Any) -> list[dict[str, Any]]:
    """Every mapping inside but those of texts, where anything else is an error at its line."""
    members = [member for key, member in value.items() if key not in _TEXTS] if isinstance(value, dict) else value
    inner = members if isinstance(members, list) else ()
    return [*([value] if isinstance(value, dict) else ()), *(found for member in inner for found in places(member))]


def refusal_of(task: Task) -> str | None:
    """The code with which the server refuses the object; None where it makes it."""
    try:
        task.apply()
    except TransientError:
        raise
    except EngineError as error:
        return error.diagnostics[0].code
    return None


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.real] * (kind in ONLY_REAL)) for kind in KINDS])
def test_the_second_plan_is_empty_and_nothing_is_replaced(world: World, kind: str) -> None:
    api_version, bodies = KINDS[kind]
    clusterwide = not world.client.resource(api_version, kind).namespaced
    made: list[Manifest] = []

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(bodies, st.sampled_from([{}, {"labels": None}, {"annotations": {}, "finalizers": []}]), st.data())
    def settles(body: dict[str, Any], metadata: dict[str, Any], data: st.DataObject) -> None:
        name = f"{world.namespace}-{len(made)}"
        body = copy.deepcopy(body)
        if data.draw(st.integers(0, 3)) == 0:
            data.draw(st.sampled_from(places(body) or [body]))["unknownField"] = data.draw(EMPTY)
        manifest = world.manifest(kind, name, api_version, metadata=metadata, **body)
        task = world.task(K8sObject(), name, manifest=world.client.placed(manifest))
        made.append(task.arguments["manifest"])
        assert task.plan().action is ActionKind.CREATE
        if (refused := refusal_of(task)) is not None:
            assert refused == "k8s-invalid"
            assert world.client.get(key_of(made[-1])) is None
            return
        for _ in range(2):
            change = task.plan()
            assert (change.action, change.fields) == (ActionKind.KEEP, ())
        world.recorded[name] = _of_the_release_before(world, name)
        assert task.plan().action is ActionKind.KEEP

    try:
        settles()
    finally:
        for manifest in made if clusterwide else ():
            world.client.delete(key_of(manifest))
    assert world.recorded


def _of_the_release_before(world: World, name: str) -> Any:
    """A record without a note of what was stored otherwise."""
    return replace(world.recorded[name], stored_otherwise={})
