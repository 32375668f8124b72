"""A workload whose image goes through a registry: a real engine, a real registry, a real cluster."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from docker_registry import running_registry

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

ENVIRONMENT = """\
version: 1
name: NAME
target: cluster
cluster: {namespace: NAME, sgx: {device_plugin: none}}
images:
  builder: docker
  base: {reference: "BASE"}
  custom: {name: CUSTOM, tag: "1", enclave_size: 2G, push: true}
keys: {}
workloads:
  - name: pi
    spark: {mode: local, main_class: org.apache.spark.examples.SparkPi, arguments: ["2"], driver: {memory: 512m},
            application: "local://${SPARK_HOME}/examples/jars/spark-examples_2.12-${SPARK_VERSION}.jar"}
    deadline: 4m
"""


@dataclass(frozen=True)
class Environment:
    """An environment with a registry, an image and a namespace of its own."""

    folder: Path
    name: str
    custom: str

    def told(self, *words: str) -> dict[str, Any]:
        """The last event of a command that has to succeed."""
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words, "--yes", "-o", "json"]
        variables = {**os.environ, "PPML_VAULT_PASSWORD": "e2e-vault-password", "NO_COLOR": "1"}
        ended = subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=300, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return last

    def images_of_pods(self) -> set[str]:
        """What the containers of the namespace's pods run."""
        template = "jsonpath={.items[*].spec.containers[*].image}"
        command = ["kubectl", "get", "pods", "--namespace", self.name, "--output", template]
        return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


@pytest.fixture
def environment(tmp_path: Path, engine: docker.APIClient, base_image: str) -> Iterator[Environment]:
    name = f"ppml-e2e-{secrets.token_hex(4)}"
    (tmp_path / "registry").mkdir()
    with running_registry(tmp_path / "registry") as address:
        made = Environment(tmp_path, name, f"{address}/ppml/{name}")
        text = ENVIRONMENT.replace("NAME", name).replace("BASE", base_image).replace("CUSTOM", made.custom)
        (tmp_path / "ppml.yaml").write_text(text)
        try:
            yield made
        finally:
            made.told("destroy")
            for image in engine.images(made.custom):
                engine.remove_image(image["Id"], force=True)


def test_pods_run_what_the_registry_has_by_its_digest(environment: Environment, engine: docker.APIClient) -> None:
    applied = environment.told("apply")
    assert applied["outputs"]["submissions"]["pi"]["verdict"] == "ran, its log holds what was expected"
    (pushed,) = engine.inspect_image(f"{environment.custom}:1")["RepoDigests"]
    assert environment.images_of_pods() == {f"{environment.custom}:1@{pushed.partition('@')[2]}"}
    again = environment.told("apply")
    assert {kind: counts["write"] for kind, counts in again["recap"]["requests"].items() if counts["write"]} == {}
