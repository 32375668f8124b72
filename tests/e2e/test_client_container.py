"""`client.via: container` on a real engine and cluster: Pi in local and client mode, out of a container here."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "e2e-vault-password"
ENVIRONMENT = """\
version: 1
name: NAME
target: cluster
vars: {pi: "local://${SPARK_HOME}/examples/jars/spark-examples_2.12-${SPARK_VERSION}.jar"}
cluster: {namespace: NAME, sgx: {device_plugin: none}}
client: {via: container, address: ADDRESS, driver_port: PORT, data: DATA}
images:
  builder: docker
  base: {reference: "ppml-e2e/base:1"}
  custom: {name: ppml/NAME, tag: "1", enclave_size: 1G}
keys: {}
workloads:
  - name: pi-local
    spark: {mode: local, main_class: org.apache.spark.examples.SparkPi, application: "{{ pi }}", arguments: ["2"],
            driver: {memory: 512m}}
    deadline: 4m
  - name: pi-client
    spark: {mode: client, main_class: org.apache.spark.examples.SparkPi, application: "{{ pi }}", arguments: ["2"],
            driver: {memory: 512m}, executor: {memory: 512m}, conf: {spark.kubernetes.executor.request.cores: 200m}}
    deadline: 4m
"""


@dataclass(frozen=True)
class Place:
    """An environment of its own."""

    folder: Path
    name: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs ppmlctl there."""
        environment = {**os.environ, "PPML_VAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Starts ppmlctl there; what it says is dropped."""
        environment, quiet = {**os.environ, "PPML_VAULT_PASSWORD": PASSWORD}, subprocess.DEVNULL
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=quiet, stderr=quiet)

    def runs(self) -> set[Path]:
        """The folders of the runs that were given to the container."""
        return set((self.folder / ".ppml/client/runs").iterdir())

    def told(self, *words: str) -> dict[str, Any]:
        """The last event of a command that has to succeed."""
        ended = self.run(*words, "-o", "json")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return last


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, engine: docker.APIClient) -> Iterator[Place]:
    built = subprocess.run(
        [sys.executable, str(ROOT / "tests/e2e/image/build.py")], capture_output=True, text=True, check=False
    )
    if "RootFileSystemError" in built.stderr:
        pytest.skip(built.stderr.splitlines()[-1])
    assert built.returncode == 0, built.stderr
    folder = tmp_path_factory.mktemp("client-container")
    made = Place(folder, f"ppml-e2e-{secrets.token_hex(4)}")
    address = engine.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"]
    values = {
        "NAME": made.name,
        "ADDRESS": address,
        "PORT": str(40000 + secrets.randbelow(9000)),
        "DATA": f"{folder}/data",
    }
    text = ENVIRONMENT
    for word, value in values.items():
        text = text.replace(word, value)
    (folder / "ppml.yaml").write_text(text)
    try:
        yield made
    finally:
        made.run("destroy", "--yes")
        shutil.rmtree(folder)


def test_a_missing_data_folder_is_an_error_and_is_not_made(place: Place) -> None:
    failed = place.run("apply", "--yes")
    assert failed.returncode == 1
    assert "bind source path does not exist" in failed.stderr
    assert not (place.folder / "data").exists()


@pytest.fixture(scope="module")
def applied(place: Place) -> dict[str, Any]:
    (place.folder / "data").mkdir(exist_ok=True)
    return place.told("apply", "--yes")


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("workload", ["pi-local", "pi-client"])
def test_each_driver_ran_in_the_container_and_computed_pi(place: Place, workload: str) -> None:
    log = place.run("logs", workload).stdout
    assert re.search(r"^Pi is roughly 3\.1", log, re.MULTILINE), log
    assert (place.folder / ".ppml/client/runs").is_dir()


def test_a_second_apply_does_nothing(applied: dict[str, Any], place: Place) -> None:
    again = place.told("apply", "--yes")
    assert {kind: counts["write"] for kind, counts in again["recap"]["requests"].items() if counts["write"]} == {}
    assert again["outputs"] == applied["outputs"]


@pytest.mark.usefixtures("applied")
def test_the_container_shows_no_secret_and_is_given_only_what_it_needs(place: Place, engine: docker.APIClient) -> None:
    shown = engine.inspect_container(f"ppml-{place.name}-client")
    assert place.run("vault", "show", "ssl_password").stdout.strip() not in json.dumps(shown)
    assert {mount["Type"] for mount in shown["Mounts"]} == {"bind"}
    assert sorted(mount["Destination"] for mount in shown["Mounts"] if mount["RW"]) == ["/ppml/data", "/ppml/runs"]
    assert not shown["HostConfig"]["Privileged"]


@pytest.mark.usefixtures("applied")
def test_a_run_whose_apply_was_killed_goes_on_in_the_container_and_is_picked_up(
    place: Place, engine: docker.APIClient
) -> None:
    name, before = f"ppml-{place.name}-client", place.runs()
    with place.start("apply", "--yes", "--rerun", "pi-client") as applying:
        while not (begun := {run for run in place.runs() - before if (run / "begun").is_dir()}):
            assert applying.poll() is None
            time.sleep(0.05)
        applying.kill()
    (run,) = begun
    container = engine.inspect_container(name)["Id"]
    told = place.told("apply", "--yes")
    assert told["outputs"]["submissions"]["pi-client"]["name"] == run.name
    assert place.runs() == before | begun
    assert engine.inspect_container(name)["Id"] == container
    assert len(re.findall(r"^Pi is roughly 3\.1", (run / "log").read_text(), re.MULTILINE)) == 1


@pytest.mark.usefixtures("applied")
def test_a_cancelled_run_is_over_for_whoever_waits_and_for_the_next_apply(place: Place) -> None:
    before = place.runs()
    with place.start("apply", "--yes", "--rerun", "pi-client") as applying:
        while not (begun := {run for run in place.runs() - before if (run / "begun/process").is_file()}):
            assert applying.poll() is None
            time.sleep(0.05)
        (run,) = begun
        assert place.run("cancel", "pi-client").stdout == f"pi-client: ended {run.name}\n"
        assert applying.wait(120) == 1
    assert (run / "status").read_text() == "143\n"
    told = place.told("apply", "--yes")
    assert told["outputs"]["submissions"]["pi-client"]["name"] != run.name


@pytest.mark.usefixtures("applied")
def test_destroy_takes_the_container_and_its_secrets_away(place: Place, engine: docker.APIClient) -> None:
    assert place.run("destroy", "--yes").returncode == 0
    assert engine.containers(all=True, filters={"name": f"ppml-{place.name}-client"}) == []
    assert [path for path in (place.folder / ".ppml/client/files").rglob("*") if path.is_file()] == []
