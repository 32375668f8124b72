"""Spark-Pi in pods that attest as TDX domains to BigDL's service, on a real engine and a real node.

No hardware: the node's domain is a device file, the quote a simulated platform's, the service the embedded one. Real
are engine, cluster, Spark, and every call to the service.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.sandbox.attestation import make_app
from ppmlctl.sandbox.ehsm.made_up import DOMAIN
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

MR_TD = "7d" * 48
"""Of the domain that the stand-in says it runs in."""
PPML = """
version: 1
name: spark-tdx
cluster: {{namespace: {namespace}, sgx: {{device_plugin: none}}, tdx: {{device: /dev/null}}}}
images:
  builder: docker
  base: {{reference: "{base}"}}
  custom: {{name: ppml/{namespace}, tag: "1", enclave_size: 1G, log_level: error, attestation: none}}
keys: {{}}
attestation:
  enabled: true
  type: BigDLRemoteAttestationService
  service:
    url: {url}
    tls: {{ca: {ca}}}
    control: td.quote
    policy: {{mr_td: {mr_td}}}
workloads:
  - name: spark-pi
    spark:
      tee: tdx
      main_class: org.apache.spark.examples.SparkPi
      application: "local://${{SPARK_HOME}}/examples/jars/spark-examples_2.12-${{SPARK_VERSION}}.jar"
      arguments: ["2"]
      driver: {{memory: 512m}}
      executor: {{memory: 512m}}
      conf: {{spark.kubernetes.driver.request.cores: 200m, spark.kubernetes.executor.request.cores: 200m}}
    deadline: 5m
"""


@dataclass(frozen=True)
class Domains:
    """A folder with a ppml.yaml, and the platform that the service judges by."""

    folder: Path
    quoting: Quoting

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        environment = {**os.environ, "PPML_VAULT_PASSWORD": "e2e-vault-password", "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def expect(self, mr_td: str) -> None:
        """Says which domain may pass, and shows a quote of it."""
        file = self.folder / "ppml.yaml"
        file.write_text(re.sub(r"mr_td: \w+", f"mr_td: {mr_td}", file.read_text()))
        quote = self.quoting.quote_of_domain(replace(DOMAIN, mr_td=bytes.fromhex(mr_td)))
        (self.folder / "td.quote").write_bytes(base64.b64encode(quote))


@pytest.fixture(scope="module")
def domains(
    tmp_path_factory: pytest.TempPathFactory, bridge: str, aesm_socket: None, base_image: str
) -> Iterator[Domains]:
    folder, state = tmp_path_factory.mktemp("spark-tdx"), tmp_path_factory.mktemp("service")
    certificates = ensure_certificates(state / "tls", [bridge])
    with served(make_app(state), certificates, bridge) as port:
        given = {"namespace": f"ppml-e2e-{secrets.token_hex(4)}", "base": base_image, "mr_td": MR_TD}
        given |= {"url": f"https://{bridge}:{port}", "ca": str(certificates.ca)}
        (folder / "ppml.yaml").write_text(PPML.format_map(given))
        made = Domains(folder, Quoting(state, time.time))
        made.expect(MR_TD)
        try:
            yield made
        finally:
            made.run("destroy", "--yes")


@pytest.fixture(scope="module")
def applied(domains: Domains) -> dict[str, Any]:
    ended = domains.run("apply", "--yes", "-o", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return last


def test_driver_and_executors_attest_as_domains_and_compute_pi(domains: Domains, applied: dict[str, Any]) -> None:
    assert applied["outputs"]["submissions"]["spark-pi"]["verdict"] == "ran, its log holds what was expected"
    driver, executors = domains.run("logs", "spark-pi").stdout, domains.run("logs", "spark-pi", "--executors").stdout
    for log in (driver, executors):
        assert f"stand-in: a simulated quote of {MR_TD}" in log
        assert "Attestation Success!" in log
    assert re.search(r"^Pi is roughly 3\.1", driver, re.MULTILINE)
    assert "Gramine" not in driver


@pytest.mark.usefixtures("applied")
def test_a_second_apply_does_nothing(domains: Domains) -> None:
    assert domains.run("plan").returncode == 0


@pytest.mark.usefixtures("applied")
def test_another_domain_than_the_policys_is_refused_and_the_failure_says_why(domains: Domains) -> None:
    domains.expect("8e" * 48)
    refused = domains.run("apply", "--yes")
    assert refused.returncode == 1
    assert "the attestation was refused" in refused.stderr or "its driver failed" in refused.stderr
    assert "means Attestation Fail! Application killed!: the attestation service refused" in refused.stderr
