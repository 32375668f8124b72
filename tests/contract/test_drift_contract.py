"""Drift by field: one case for each kind of field, on both clusters. What somebody changes shows, spellings do not."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes_targets import Namespace

from ppmlctl.clients.kubernetes import Manifest
from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, changes, differences
from ppmlctl.kubernetes.stored import not_noted, noted
from ppmlctl.secret import MASK

CONTAINER: dict[str, Any] = {
    "name": "main",
    "image": "i:1",
    "args": ["a"],
    "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
    "ports": [{"containerPort": 80}],
    "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi", "sgx.intel.com/epc": "1048576Ki"}},
    "command": None,
}
POD = "spec.template.spec"
MAIN = f"{POD}.containers[name=main]"


def deployment(namespace: Namespace) -> Manifest:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [CONTAINER], "hostNetwork": False}}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "50%"}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "a"}}, "template": template, "strategy": strategy}
    metadata = {"labels": {"team": "x"}, "annotations": {"example.com/cpu": "1000m"}}
    return namespace.manifest("Deployment", "d", "apps/v1", metadata=metadata, spec=spec)


def service(namespace: Namespace) -> Manifest:
    ports = [{"name": "a", "port": 80, "targetPort": 8080}, {"name": "b", "port": 81, "targetPort": "web"}]
    return namespace.manifest("Service", "s", spec={"selector": {"app": "a"}, "ports": ports})


def secret(namespace: Namespace) -> Manifest:
    return namespace.manifest("Secret", "s", stringData={"a": "1"}, data={"b": base64.b64encode(b"2").decode()})


def digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def drift(manifest: Manifest, applied: Manifest, live: Manifest) -> list[FieldDifference]:
    """What differs by now of what was stored when the manifest was applied."""
    notes = noted(differences(manifest, applied, "ppmlctl"), digest)
    return not_noted(differences(manifest, live, "ppmlctl"), notes, digest)


def container_of(live: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("make", [deployment, service, secret])
def test_spellings_defaults_order_and_null_are_no_drift(
    namespace: Namespace, make: Callable[[Namespace], Manifest]
) -> None:
    manifest = make(namespace)
    live = namespace.client.apply(manifest)
    assert changes(*namespace.foreseen(manifest, live)) == []
    again = namespace.client.apply(manifest)
    assert again["metadata"].get("generation") == live["metadata"].get("generation")
    assert drift(manifest, live, again) == []


def _more_cpu(live: Manifest) -> None:
    container_of(live)["resources"]["limits"]["cpu"] = "1001m"


def _less_memory(live: Manifest) -> None:
    container_of(live)["resources"]["limits"]["memory"] = "1023Mi"


def _other_annotation(live: Manifest) -> None:
    live["metadata"]["annotations"]["example.com/cpu"] = "1"


def _label_taken_off(live: Manifest) -> None:
    del live["metadata"]["labels"]["team"]


def _argument_added(live: Manifest) -> None:
    container_of(live)["args"].append("b")


def _variable_changed(live: Manifest) -> None:
    container_of(live)["env"][1]["value"] = "9"


def _variable_taken_out(live: Manifest) -> None:
    container_of(live)["env"].pop(0)


def _surge(live: Manifest) -> None:
    live["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = 1


def _host_network(live: Manifest) -> None:
    live["spec"]["template"]["spec"]["hostNetwork"] = True


def _target_port(live: Manifest) -> None:
    live["spec"]["ports"][0]["targetPort"] = "web"


def _secret_value(live: Manifest) -> None:
    live["data"]["a"] = base64.b64encode(b"9").decode()


def _secret_key_taken_out(live: Manifest) -> None:
    del live["data"]["b"]


CASES = [
    pytest.param(deployment, _more_cpu, f"{MAIN}.resources.limits.cpu", "1001m", "1000m", id="quantity"),
    pytest.param(deployment, _less_memory, f"{MAIN}.resources.limits.memory", "1023Mi", "1024Mi", id="binary quantity"),
    pytest.param(deployment, _other_annotation, 'metadata.annotations["example.com/cpu"]', "1", "1000m", id="text"),
    pytest.param(deployment, _label_taken_off, "metadata.labels.team", ABSENT, "x", id="removed label"),
    pytest.param(deployment, _argument_added, f"{MAIN}.args", ["a", "b"], ["a"], id="extra item of an atomic list"),
    pytest.param(deployment, _variable_changed, f"{MAIN}.env[name=A].value", "9", "1", id="item by its key"),
    pytest.param(
        deployment,
        _variable_taken_out,
        f"{MAIN}.env[name=B]",
        ABSENT,
        {"name": "B", "value": "2"},
        id="removed item",
    ),
    pytest.param(deployment, _surge, "spec.strategy.rollingUpdate.maxSurge", 1, "50%", id="int or string"),
    pytest.param(deployment, _host_network, f"{POD}.hostNetwork", True, False, id="false that the server drops"),
    pytest.param(service, _target_port, "spec.ports[port=80,protocol=TCP].targetPort", "web", 8080, id="port"),
    pytest.param(secret, _secret_value, "data.a", MASK, MASK, id="secret value"),
    pytest.param(secret, _secret_key_taken_out, "data.b", ABSENT, MASK, id="removed key of a secret"),
]


@pytest.mark.parametrize(("make", "change", "path", "there", "declared"), CASES)
def test_a_changed_field_shows_with_both_values(  # noqa: PLR0917 - the columns of a table
    namespace: Namespace,
    make: Callable[[Namespace], Manifest],
    change: Callable[[Manifest], None],
    path: str,
    there: Any,
    declared: Any,
) -> None:
    manifest = make(namespace)
    applied, changed = changed_by_others(namespace, manifest, change)
    assert drift(manifest, applied, changed) == [FieldDifference(path, there, declared)]
    assert [one.path for one in changes(*namespace.foreseen(manifest, changed))] == [path]
    mended = namespace.client.apply(manifest, force=True)
    assert drift(manifest, applied, mended) == []


def changed_by_others(
    namespace: Namespace, manifest: Manifest, change: Callable[[Manifest], None]
) -> tuple[Manifest, Manifest]:
    """The object before and after somebody changed it; controllers may write its status at the same time."""
    live = namespace.client.apply(manifest)
    wanted = copy.deepcopy(live)
    change(wanted)
    if manifest["kind"] != "Service":  # which old servers take with its version alone
        wanted["metadata"].pop("resourceVersion")
    return live, namespace.client.replace(wanted)


def _variable_added(live: Manifest) -> None:
    container_of(live)["env"].append({"name": "C", "value": "3"})


def _label_added(live: Manifest) -> None:
    live["metadata"]["labels"]["theirs"] = "y"


def _order_changed(live: Manifest) -> None:
    container_of(live)["env"].reverse()


@pytest.mark.parametrize("change", [_variable_added, _label_added, _order_changed])
def test_what_others_add_beside_it_is_theirs(namespace: Namespace, change: Callable[[Manifest], None]) -> None:
    manifest = deployment(namespace)
    assert drift(manifest, *changed_by_others(namespace, manifest, change)) == []
