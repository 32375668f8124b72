"""Starts the clusters that the contract runs against, and makes a namespace for each test."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_targets import JOB_IMAGE, JOB_LINE, KubernetesTarget, Namespace

from ppmlctl.clients.kubernetes import KubernetesClient, ObjectKey
from ppmlctl.effects import Effects
from ppmlctl.sandbox import process

_JOB_SOURCE = f"""
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {{ puts("{JOB_LINE}"); return count > 1 ? atoi(words[1]) : 0; }}
"""


@pytest.fixture(scope="session", params=[pytest.param("real", marks=pytest.mark.cluster), pytest.param("sandbox")])
def kubernetes_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Each cluster of the contract in turn."""
    if request.param == "real":
        yield _real()
        return
    folder = tmp_path_factory.mktemp("sandbox")
    running = process.up(folder, only=process.KUBERNETES)
    assert running.kubeconfig is not None
    try:
        yield KubernetesTarget("sandbox", running.kubeconfig)
    finally:
        process.down(folder)


def _real() -> KubernetesTarget:
    kubeconfig = os.environ.get("KUBECONFIG")
    if not kubeconfig:
        pytest.skip("KUBECONFIG names no cluster")
    return KubernetesTarget("real", Path(kubeconfig))


@pytest.fixture
def namespace(kubernetes_target: KubernetesTarget) -> Iterator[Namespace]:
    """A namespace for one test. Its deletion is asked for and not waited for: the next test has another one."""
    effects = Effects("kubernetes", writes_allowed=True)
    client = KubernetesClient(effects, kubeconfig=kubernetes_target.kubeconfig)
    name = f"k8s-contract-{secrets.token_hex(4)}"
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield Namespace(kubernetes_target, client, name, effects)
    finally:
        client.delete(ObjectKey("v1", "Namespace", "", name))


@pytest.fixture(scope="session")
def job_image(kubernetes_target: KubernetesTarget, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image whose container writes JOB_LINE and ends with the status of its first argument."""
    if not kubernetes_target.is_real:
        yield JOB_IMAGE
        return
    if not os.environ.get("DOCKER_HOST"):
        pytest.skip("DOCKER_HOST names no engine to build the image for a Job with")
    import docker

    engine = docker.from_env()
    context = _job_context(tmp_path_factory.mktemp("job"))
    engine.images.build(fileobj=context, custom_context=True, tag=JOB_IMAGE, rm=True)
    try:
        yield JOB_IMAGE
    finally:
        engine.close()


def _job_context(folder: Path) -> io.BytesIO:
    """A build context with one static program, built here; an engine needs no network for it."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not there to build the image for a Job with")
    source, program = folder / "job.c", folder / "job"
    source.write_text(_JOB_SOURCE)
    subprocess.run([compiler, "-static", "-Os", "-s", "-o", program, source], check=True, capture_output=True)
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY job /job\nENTRYPOINT ["/job"]\n')
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name in ("Dockerfile", "job"):
            archive.add(folder / name, arcname=name)
    context.seek(0)
    return context
