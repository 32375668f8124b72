"""Waiting for what becomes ready by pods: on both clusters where it does, on the real one where it does not."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from imported_images import labels_of_test
from kubernetes_targets import KubernetesTarget, Namespace

from ppmlctl.clients.kubernetes import Condition, Manifest
from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.readiness import is_ready
from ppmlctl.modules import _readiness
from ppmlctl.modules._readiness import await_ready

CRASHING = """
#include <stdio.h>
#include <stdlib.h>
int main(void) { printf("the token is %s\\n", getenv("TOKEN")); return 3; }
"""
PAUSING = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"


def made_of(source: str, folder: Path) -> Iterator[str]:
    """An image with one static program, on the engine that the node takes its images from."""
    compiler = shutil.which("gcc")
    if not os.environ.get("DOCKER_HOST") or compiler is None:
        pytest.skip("DOCKER_HOST names no engine, or gcc is not there")
    import docker

    (folder / "main.c").write_text(source)
    subprocess.run([compiler, "-static", "-Os", "-s", "-o", folder / "main", folder / "main.c"], check=True)
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY main /main\nENTRYPOINT ["/main"]\n')
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name in ("Dockerfile", "main"):
            archive.add(folder / name, arcname=name)
    context.seek(0)
    engine, tag = docker.from_env(), f"ppml/readiness-{secrets.token_hex(4)}:1"
    engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, labels=labels_of_test())
    try:
        yield tag
    finally:
        engine.images.remove(tag, force=True)
        engine.close()


@pytest.fixture(scope="session")
def crashing_image(kubernetes_target: KubernetesTarget, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from made_of(CRASHING, tmp_path_factory.mktemp("crashing"))


@pytest.fixture(scope="session")
def pausing_image(kubernetes_target: KubernetesTarget, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if kubernetes_target.is_real:
        yield from made_of(PAUSING, tmp_path_factory.mktemp("pausing"))
    else:
        yield "no-container-runs-here:1"


def workload(namespace: Namespace, kind: str, image: str, **container: Any) -> Manifest:
    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", **container}],
        },
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    if kind == "StatefulSet":
        spec["serviceName"] = "a"
    return namespace.manifest(kind, "a", "apps/v1", spec=spec)


def waited_for(namespace: Namespace, manifest: Manifest, seconds: float = 120.0) -> list[str]:
    """What was told while the object was waited for."""
    told: list[str] = []
    context: Any = SimpleNamespace(
        engines=SimpleNamespace(kubernetes=namespace.client), stopping=threading.Event(), tell=told.append
    )
    live = namespace.client.apply(manifest)
    ready = Condition("it is ready", lambda now: now is not None and is_ready(now))
    await_ready(context, live, ready, seconds)
    return told


def refused(namespace: Namespace, manifest: Manifest, seconds: float = 120.0) -> tuple[str, list[str]]:
    """The code, and the lines of what was found."""
    with pytest.raises(EngineError) as error:
        waited_for(namespace, manifest, seconds)
    diagnostic = error.value.diagnostics[0]
    return diagnostic.code, diagnostic.found.replace(namespace.name, "NS").splitlines()


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_rolls_out_is_ready_when_its_pods_are(namespace: Namespace, pausing_image: str, kind: str) -> None:
    manifest = workload(namespace, kind, pausing_image)
    waited_for(namespace, manifest)
    live = namespace.client.get(namespace.key(kind, "a", "apps/v1"))
    assert live is not None
    assert is_ready(live)


@pytest.mark.real
def test_a_resource_that_no_node_has_is_told_at_the_time_out(namespace: Namespace, pausing_image: str) -> None:
    limits = {"limits": {"sgx.intel.com/epc": "512Ti"}}
    code, lines = refused(namespace, workload(namespace, "Deployment", pausing_image, resources=limits), seconds=6)
    assert (code, lines[0]) == ("k8s-timeout", "Deployment NS/a: not after 6 s: it is ready")
    assert lines[1].startswith("pod a-")
    assert lines[1].endswith("Unschedulable: 0/1 nodes are available: 1 Insufficient sgx.intel.com/epc.")
    assert lines[2] == ("  warning FailedScheduling: 0/1 nodes are available: 1 Insufficient sgx.intel.com/epc.")
    assert lines[3].startswith(
        "  means Insufficient sgx.intel.com/…: no node has this much of the SGX resource; check "
    )


@pytest.mark.real
def test_an_image_that_does_not_come_ends_the_wait(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_readiness, "PULL_SECONDS", 3.0)
    monkeypatch.setattr(_readiness, "LOOK_SECONDS", 1.0)
    code, lines = refused(namespace, workload(namespace, "Deployment", "127.0.0.1:9/no-such:1"))
    assert (code, lines[0]) == (
        "k8s-not-becoming-ready",
        "Deployment NS/a: the image of container main cannot be pulled",
    )
    assert "container main waits: " in lines[1]
    assert any(line.startswith('  warning Failed: Failed to pull image "127.0.0.1:9/no-such:1"') for line in lines)


@pytest.mark.real
def test_a_container_that_crashes_is_told_with_what_it_said_but_no_secret(
    namespace: Namespace, crashing_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ppmlctl.kubernetes.pods.CRASHES", 1)
    monkeypatch.setattr(_readiness, "LOOK_SECONDS", 1.0)
    namespace.client.apply(namespace.manifest("Secret", "s", stringData={"token": "hunter2"}))
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}
    code, lines = refused(namespace, workload(namespace, "Deployment", crashing_image, env=[variable]))
    assert (code, lines[0]) == ("k8s-not-becoming-ready", "Deployment NS/a: container main crashed 2 times")
    assert "container main waits: CrashLoopBackOff" in lines[1]
    assert "container main ended: Error, exit code 3, 1 restarts" in lines[1]
    assert "  log the token is (secret)" in lines
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.real
def test_pods_that_cannot_even_be_made_are_told_by_who_should_make_them(
    namespace: Namespace, pausing_image: str
) -> None:
    namespace.client.apply(namespace.manifest("ResourceQuota", "none", spec={"hard": {"pods": "0"}}))
    code, lines = refused(namespace, workload(namespace, "Deployment", pausing_image), seconds=6)
    assert code == "k8s-timeout"
    assert "exceeded quota: none" in lines[1]
    assert lines[1].startswith("warning FailedCreate: ")


@pytest.mark.real
def test_a_failed_job_is_not_waited_for(namespace: Namespace, crashing_image: str) -> None:
    container = {"name": "main", "image": crashing_image, "imagePullPolicy": "IfNotPresent"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = namespace.manifest("Job", "j", "batch/v1", spec={"backoffLimit": 0, "template": template})
    code, lines = refused(namespace, job)
    assert code == "k8s-not-becoming-ready"
    assert lines[0] == "Job NS/j: BackoffLimitExceeded: Job has reached the specified backoff limit"
    assert lines[1].endswith("container main ended: Error, exit code 3")
