"""Changes as kubectl sends them, finalizers, and claims that get a volume: the same on both clusters."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes_targets import Namespace

from ppmlctl.clients.kubernetes import Condition, Manifest, ObjectKey

SECONDS = 30.0


def kubectl(namespace: Namespace, *words: str) -> None:
    """Runs kubectl in the namespace; it must succeed."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on PATH")
    environment = {**os.environ, "KUBECONFIG": str(namespace.target.kubeconfig)}
    done = subprocess.run(
        [program, "-n", namespace.name, *words], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


def live(namespace: Namespace, kind: str, name: str, api_version: str = "v1") -> Manifest:
    found = namespace.client.get(namespace.key(kind, name, api_version))
    assert found is not None
    return found


def deployment(namespace: Namespace) -> Manifest:
    containers = [
        {"name": "main", "image": "i:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "side", "image": "j:1"},
    ]
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    return namespace.manifest("Deployment", "d", "apps/v1", spec=spec)


def test_labels_and_annotations_are_set_and_taken_off(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c", metadata={"labels": {"a": "1"}}))
    kubectl(namespace, "label", "configmap", "c", "b=2", "a-")
    kubectl(namespace, "annotate", "configmap", "c", "example.com/x=y")
    metadata = live(namespace, "ConfigMap", "c")["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"b": "2"}, {"example.com/x": "y"})


@pytest.mark.parametrize(
    ("how", "patch", "containers"),
    [
        pytest.param(
            "strategic",
            '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"i:2"}]}}}}',
            [("main", "i:2", ["A"]), ("side", "j:1", [])],
            id="a strategic patch merges containers by name",
        ),
        pytest.param(
            "strategic",
            '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}',
            [("main", "i:1", ["A"])],
            id="a strategic patch takes one out",
        ),
        pytest.param(
            "merge",
            '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"i:2"}]}}}}',
            [("main", "i:2", [])],
            id="a merge patch replaces the list",
        ),
        pytest.param(
            "json",
            '[{"op":"replace","path":"/spec/template/spec/containers/1/image","value":"j:2"},'
            '{"op":"remove","path":"/spec/template/spec/containers/0/env"}]',
            [("main", "i:1", []), ("side", "j:2", [])],
            id="a JSON patch goes by place",
        ),
    ],
)
def test_a_patch_changes_a_part(namespace: Namespace, how: str, patch: str, containers: list[Any]) -> None:
    namespace.client.create(deployment(namespace))
    kubectl(namespace, "patch", "deployment", "d", "--type", how, "-p", patch)
    found = live(namespace, "Deployment", "d", "apps/v1")["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"], [v["name"] for v in one.get("env", [])]) for one in found] == containers


def test_an_object_with_a_finalizer_stays_until_that_is_taken_off(namespace: Namespace) -> None:
    key = namespace.key("ConfigMap", "c")
    namespace.client.create(namespace.manifest("ConfigMap", "c", metadata={"finalizers": ["example.com/held"]}))
    assert namespace.client.delete(key)
    assert "deletionTimestamp" in live(namespace, "ConfigMap", "c")["metadata"]
    assert namespace.client.delete(key)
    kubectl(namespace, "patch", "configmap", "c", "--type", "merge", "-p", '{"metadata":{"finalizers":null}}')
    assert namespace.client.get(key) is None


@pytest.fixture
def volume(namespace: Namespace) -> Iterator[Manifest]:
    """A volume that no other test's claim fits."""
    name = f"contract-{secrets.token_hex(4)}"
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "nfs": {"server": "127.0.0.1", "path": "/"},
        "storageClassName": name,
    }
    manifest = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    yield namespace.client.apply(manifest)
    namespace.client.delete(ObjectKey("v1", "PersistentVolume", "", name))


def claim(namespace: Namespace, storage_class: str, size: str = "1024Mi") -> Manifest:
    spec = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": size}},
    }
    return namespace.manifest("PersistentVolumeClaim", "data", spec=spec)


def phase_is(phase: str) -> Condition:
    return Condition(f"it is {phase}", lambda now: now is not None and now["status"].get("phase") == phase)


def test_a_claim_is_bound_to_a_volume_that_fits(namespace: Namespace, volume: Manifest) -> None:
    name = volume["metadata"]["name"]
    namespace.client.apply(claim(namespace, name))
    key = namespace.key("PersistentVolumeClaim", "data")
    bound = namespace.client.wait(key, phase_is("Bound"), SECONDS)
    assert bound is not None
    assert (bound["spec"]["volumeName"], bound["status"]["capacity"]) == (name, {"storage": "1Gi"})
    of_volume = ObjectKey("v1", "PersistentVolume", "", name)
    held = namespace.client.wait(of_volume, phase_is("Bound"), SECONDS)
    assert held is not None
    assert held["spec"]["claimRef"]["name"] == "data"
    namespace.client.delete(key, wait_seconds=SECONDS)
    assert namespace.client.wait(of_volume, phase_is("Released"), SECONDS)


def test_a_claim_that_no_volume_fits_stays_pending(namespace: Namespace, volume: Manifest) -> None:
    namespace.client.apply(claim(namespace, volume["metadata"]["name"], size="2Gi"))
    namespace.client.wait(
        ObjectKey("v1", "PersistentVolume", "", volume["metadata"]["name"]), phase_is("Available"), SECONDS
    )
    assert live(namespace, "PersistentVolumeClaim", "data")["status"]["phase"] == "Pending"
