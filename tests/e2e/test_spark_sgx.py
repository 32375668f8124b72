"""examples/spark-sgx on a real engine and cluster, from nothing to a submission and back."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
BASE = "ppml-e2e/base:1"
PASSWORD = "e2e-vault-password"


@dataclass(frozen=True)
class Example:
    """A copy of the example with a namespace and an EHSM of its own."""

    folder: Path
    namespace: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs ppmlctl there."""
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        environment = {**os.environ, "PPML_VAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def told(self, *words: str) -> dict[str, Any]:
        """The last event of a command that has to succeed."""
        ended = self.run(*words, "-o", "json")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return last

    @property
    def lockfile(self) -> bytes:
        return (self.folder / "ppml.lock").read_bytes()


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bridge(engine: docker.APIClient) -> str:
    """An address of this machine that containers reach."""
    address: str = engine.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"]
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        pytest.skip(f"the engine's bridge address {address} is not on this machine")
    return address


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, engine: docker.APIClient, bridge: str) -> Iterator[Example]:
    built = subprocess.run(
        [sys.executable, str(ROOT / "tests/e2e/image/build.py")], capture_output=True, text=True, check=False
    )
    if "BusyboxMissingError" in built.stderr:
        pytest.skip(built.stderr.splitlines()[-1])
    assert built.returncode == 0, built.stderr
    folder = tmp_path_factory.mktemp("spark-sgx") / "example"
    shutil.copytree(ROOT / "examples/spark-sgx", folder, ignore=shutil.ignore_patterns(".ppml", "*.lock", "keys"))
    copy = Example(folder, f"ppml-e2e-{secrets.token_hex(4)}")
    set_variables(folder / "ppml.yaml", namespace=copy.namespace)
    running = copy.told("sandbox", "up", "--only", "ehsm", "--listen", bridge)
    set_variables(folder / "ppml.yaml", ehsm_url=running["ehsm_url"])
    try:
        yield copy
    finally:
        copy.run("destroy", "--yes")
        copy.run("sandbox", "down")
        shutil.rmtree(folder)


def set_variables(file: Path, **values: str) -> None:
    text = file.read_text()
    for name, value in values.items():
        text, count = re.subn(rf"^  {name}: \S+", f"  {name}: {value}", text, count=1, flags=re.MULTILINE)
        assert count == 1, name
    file.write_text(text)


@pytest.fixture(scope="module")
def applied(example: Example) -> dict[str, Any]:
    return example.told("apply", "--yes")


def kubectl(*words: str) -> str:
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, timeout=60, check=True).stdout


def test_everything_is_made_and_nothing_passes_for_more_than_it_is(applied: dict[str, Any]) -> None:
    assert applied["recap"]["failed"] == 0
    assert applied["recap"]["simulated"] == 0
    assert applied["outputs"]["ehsm_verdict"].startswith("private root")
    assert applied["outputs"]["submissions"]["spark-pi"]["verdict"] == "ran, result not checked"


def test_the_job_ran_the_images_submit_script(applied: dict[str, Any], example: Example) -> None:
    job = applied["outputs"]["submissions"]["spark-pi"]["name"]
    log = kubectl("logs", f"job/{job}", "--namespace", example.namespace).splitlines()
    assert "stand-in: would submit to k8s://https://kubernetes.default.svc in cluster mode, SGX true" in log
    application = "local:///ppml/spark-3.1.3/examples/jars/spark-examples_2.12-3.1.3.jar"
    assert log[-1] == f"stand-in: application: {application} 100"


def test_the_measurement_is_recomputed_by_the_printed_command(applied: dict[str, Any], example: Example) -> None:
    words = shlex.split(applied["outputs"]["recompute"])[1:]
    assert applied["outputs"]["mr_enclave"] in example.run(*words).stdout


def test_a_second_apply_writes_nothing(applied: dict[str, Any], example: Example) -> None:
    before = example.lockfile
    again = example.told("apply", "--yes")
    assert {kind: counts["write"] for kind, counts in again["recap"]["requests"].items() if counts["write"]} == {}
    assert again["outputs"] == applied["outputs"]
    assert example.lockfile == before
    assert example.run("plan").returncode == 0


@pytest.mark.usefixtures("applied")
def test_a_deleted_secret_alone_is_planned_and_made_again(example: Example) -> None:
    before = example.lockfile
    kubectl("delete", "secret", "kms-secret", "--namespace", example.namespace)
    planned = example.run("plan", "-o", "json")
    assert planned.returncode == 2
    actions = json.loads(planned.stdout)["actions"]
    assert [action["address"] for action in actions if action["action"] != "keep"] == ["kms-secret"]
    repaired = example.told("apply", "--yes")
    assert repaired["recap"]["changed"] == 1
    assert set(before.splitlines()) ^ set(example.lockfile.splitlines()) <= serials(before, example.lockfile)


def serials(*lockfiles: bytes) -> set[bytes]:
    return {line for lockfile in lockfiles for line in lockfile.splitlines() if line.startswith(b"serial: ")}


@pytest.mark.usefixtures("applied")
def test_destroy_leaves_the_engine_and_the_cluster_as_they_were(example: Example, engine: docker.APIClient) -> None:
    environment = re.search(r'^environment: "?([0-9a-f-]+)', example.lockfile.decode(), re.MULTILINE)
    assert environment
    labels = {"label": f"dev.ppmlctl.environment={environment[1]}"}
    assert len(engine.images(filters=labels)) == 1
    ended = example.run("destroy", "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert engine.images(filters=labels) == []
    assert len(engine.images(name=BASE)) == 1
    assert f"namespace/{example.namespace}" not in kubectl("get", "namespaces", "--output", "name").split()
