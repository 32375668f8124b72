"""The four modes on a real engine and cluster, attested or not, whoever makes the manifest: Pi, at the first try."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator

import pytest
from spark_example import MODES, ROOT, Example, be_patient, kubectl, set_variables

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

WITH_EXECUTORS = ("spark-pi", "spark-pi-client")
REFUSED = "New auth protocol failed, trying SASL"
"""What an executor says, where its secret is not the driver's."""
ENVIRONMENTS = {
    "attested": "attestation: {enabled: true}\n",
    "not-attested": "attestation: {enabled: false}\n",
    "attested-built": "attestation: {enabled: true}\nenclave: {manifest: build}\n",
    "not-attested-built": "attestation: {enabled: false}\nenclave: {manifest: build}\n",
}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def example(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    bridge: str,
    aesm_socket: None,
    base_image: str,
) -> Iterator[Example]:
    """An environment that was applied, with Spark's authentication as it is where nobody says anything."""
    folder = tmp_path_factory.mktemp("spark-modes") / "example"
    shutil.copytree(ROOT / "examples/spark-sgx", folder, ignore=shutil.ignore_patterns(".ppml", "*.lock", "keys"))
    file = folder / "ppml.yaml"
    text, count = re.subn(r"^attestation: .*\n", ENVIRONMENTS[request.param], file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)
    copy = Example(folder, f"ppml-e2e-{secrets.token_hex(4)}")
    set_variables(file, namespace=copy.namespace)
    be_patient(file)
    set_variables(file, ehsm_url=copy.told("sandbox", "up", "--only", "ehsm", "--listen", bridge)["ehsm_url"])
    try:
        applied = copy.run("apply", "--yes")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        yield copy
    finally:
        copy.run("destroy", "--yes")
        copy.run("sandbox", "down")
        shutil.rmtree(folder)


@pytest.mark.parametrize("workload", MODES)
def test_each_drivers_log_holds_pi(example: Example, request: pytest.FixtureRequest, workload: str) -> None:
    log = example.run("logs", workload).stdout
    assert re.search(r"^Pi is roughly 3\.1", log, re.MULTILINE), log
    attested = "not-attested" not in request.node.callspec.params["example"]
    assert ("Attestation Success!" in log) is (MODES[workload] and attested)


@pytest.mark.parametrize("workload", WITH_EXECUTORS)
def test_the_executor_joined_at_the_first_try(example: Example, workload: str) -> None:
    log = example.run("logs", workload).stdout
    assert re.findall(r"Registered executor .* with ID (\d+)", log) == ["1"]
    assert REFUSED not in log
    assert REFUSED not in example.run("logs", workload, "--executors").stdout
    run = json.loads(example.run("output", "-o", "json").stdout)["submissions"][workload]["name"]
    assert len(example.pods(f"spark-role=executor,ppmlctl/run={run}")) == 1


def test_no_variable_of_a_pod_and_no_configuration_holds_sparks_secret(example: Example) -> None:
    password = example.vault("ssl_password")
    shown = kubectl("get", "pods,jobs,configmaps", "--namespace", example.namespace, "--output", "yaml")
    assert password not in shown
    assert "_SPARK_AUTH_SECRET" in shown
    assert not re.search(r"name: _SPARK_AUTH_SECRET", shown), "it is no variable of a pod's specification"
