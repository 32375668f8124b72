"""What a restricted account is told on a real cluster, and that the remedy is one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kubernetes_targets import Namespace

from ppmlctl.clients.kubernetes import Condition, KubernetesClient
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effects

pytestmark = pytest.mark.real
"""The sandbox has one user, who may do everything."""


@pytest.fixture
def restricted(namespace: Namespace, tmp_path: Path) -> KubernetesClient:
    """A client with the token of an account that may do nothing."""
    namespace.client.create(namespace.manifest("ServiceAccount", "nobody"))
    secret = namespace.manifest("Secret", "nobody-token", type="kubernetes.io/service-account-token")
    secret["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "nobody"}
    namespace.client.create(secret)
    filled = Condition("it is filled", lambda now: now is not None and "token" in (now.get("data") or {}))
    live = namespace.client.wait(namespace.key("Secret", "nobody-token"), filled, 30)
    assert live is not None
    content = namespace.target.kubeconfig_content()
    token = base64.b64decode(live["data"]["token"]).decode()
    content["users"] = [{"name": content["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content))
    return KubernetesClient(Effects("kubernetes", writes_allowed=True), kubeconfig=path)


def test_the_missing_permission_is_named_and_the_remedy_grants_it(
    namespace: Namespace, restricted: KubernetesClient
) -> None:
    manifest = namespace.manifest("RoleBinding", "b", "rbac.authorization.k8s.io/v1")
    manifest["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    user = f"system:serviceaccount:{namespace.name}:nobody"
    with pytest.raises(EngineError) as refused:
        restricted.list_objects("rbac.authorization.k8s.io/v1", "RoleBinding", namespace.name)
    role, where = "ppmlctl-list-rolebindings", f"-n {namespace.name}"
    commands = [
        f"kubectl create role {role} --verb=list --resource=rolebindings.rbac.authorization.k8s.io {where}",
        f"kubectl create rolebinding {role} --role={role} --serviceaccount={namespace.name}:nobody {where}",
    ]
    assert str(refused.value) == (
        "error[k8s-forbidden]: the cluster does not allow this\n"
        f"  is   list rolebindings in {namespace.name}: rolebindings.rbac.authorization.k8s.io is forbidden: "
        f'User "{user}" cannot list resource "rolebindings" in API group "rbac.authorization.k8s.io" in the '
        f'namespace "{namespace.name}"\n'
        "  why  missing: verb list on resource rolebindings of apiGroup "
        f'"rbac.authorization.k8s.io" in namespace {namespace.name}\n'
        "  fix  let the cluster's administrator run:\n"
        f"       {commands[0]}\n"
        f"       {commands[1]}"
    )
    run(namespace, commands)
    assert restricted.list_objects("rbac.authorization.k8s.io/v1", "RoleBinding", namespace.name) != []


@pytest.mark.parametrize(
    ("verb", "act"),
    [
        ("get", lambda client, there: client.get(there.key("ConfigMap", "c"))),
        ("patch", lambda client, there: client.apply(there.manifest("ConfigMap", "c"))),
        ("create", lambda client, there: client.create(there.manifest("ConfigMap", "c"))),
        ("delete", lambda client, there: client.delete(there.key("ConfigMap", "c"))),
    ],
)
def test_each_verb_is_named(namespace: Namespace, restricted: KubernetesClient, verb: str, act: Any) -> None:
    with pytest.raises(EngineError) as refused:
        act(restricted, namespace)
    diagnostic = refused.value.diagnostics[0]
    assert diagnostic.why == f'missing: verb {verb} on resource configmaps of apiGroup "" in namespace {namespace.name}'


def test_what_is_missing_in_the_whole_cluster_takes_a_cluster_role(
    namespace: Namespace, restricted: KubernetesClient
) -> None:
    with pytest.raises(EngineError) as refused:
        restricted.list_objects("v1", "PersistentVolume")
    diagnostic = refused.value.diagnostics[0]
    assert diagnostic.why == 'missing: verb list on resource persistentvolumes of apiGroup "" in the whole cluster'
    assert "\nkubectl create clusterrole ppmlctl-list-persistentvolumes --verb=list " in diagnostic.fix


def run(namespace: Namespace, commands: list[str]) -> None:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on PATH")
    environment = {**os.environ, "KUBECONFIG": str(namespace.target.kubeconfig)}
    for command in commands:
        subprocess.run([program, *command.split()[1:]], check=True, capture_output=True, env=environment)
