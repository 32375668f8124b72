"""Pods on nodes that are TDX domains: no enclave within, the domain's device for quotes, a log that reports them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from spark_cases import PI, settings

from ppmlctl.flows.spark.job import job_pod
from ppmlctl.flows.spark.pod_template import pod_template
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.flows.spark.verdict import Logs, judged
from ppmlctl.protection import Attestation

SERVICE = Attestation(
    "attestation:9875", "BigDLRemoteAttestationService", "attestation-secret", "https://pccs:1", quote_type="TDX"
)
DOMAIN = replace(PI, mode="cluster", tee="tdx", device_plugin="intel", epc_request="1073741824", attestation=SERVICE)


def container(submission: Submission, role: Any) -> dict[str, Any]:
    (found,) = pod_template(submission, role)["spec"]["containers"]
    return dict(found)


def variables(submission: Submission, role: Any) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container(submission, role)["env"]}


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_a_pod_in_a_domain_attests_by_a_quote_of_the_domain(role: str) -> None:
    told = variables(DOMAIN, role)
    expected = {
        "SGX_ENABLED": "false",
        "ATTESTATION": "true",
        "ATTESTATION_TYPE": "BigDLRemoteAttestationService",
        "ATTESTATION_URL": "attestation:9875",
        "QUOTE_TYPE": "TDX",
        "PCCS_URL": "https://pccs:1",
    }
    assert expected.items() <= told.items()
    assert "SGX_DRIVER_JVM_MEM_SIZE" not in told
    assert {"APP_ID", "API_KEY", "ATTESTATION_POLICYID"} <= told.keys()


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_it_gets_the_domains_device_and_asks_for_no_sgx(role: str) -> None:
    found = container(replace(DOMAIN, tdx_device="/dev/tdx_guest"), role)
    assert found["securityContext"] == {"privileged": True}
    assert "resources" not in found
    volumes = pod_template(replace(DOMAIN, tdx_device="/dev/tdx_guest"), role)["spec"]["volumes"]  # type: ignore[arg-type]  # a role
    (device,) = [one["hostPath"] for one in volumes if one["name"] == "tdx-device"]
    assert device == {"path": "/dev/tdx_guest", "type": "CharDevice"}
    mounted = {one["name"]: one["mountPath"] for one in found["volumeMounts"]}
    assert mounted["tdx-device"] == "/dev/tdx-attest"
    assert mounted["aesm-socket"] == "/var/run/aesmd/aesm.socket"


def test_without_attestation_it_is_any_pod() -> None:
    plain = replace(DOMAIN, attestation=None)
    assert "securityContext" not in container(plain, "driver")
    assert "ATTESTATION" not in variables(plain, "driver")
    assert "tdx-device" not in [one["name"] for one in pod_template(plain, "driver")["spec"]["volumes"]]


def test_the_submission_itself_is_in_no_enclave() -> None:
    assert settings(DOMAIN)["spark.kubernetes.sgx.enabled"] == "false"
    (submit,) = job_pod(DOMAIN)["containers"]
    assert "resources" not in submit
    assert "QUOTE_TYPE" not in [one["name"] for one in submit["env"]]


def test_a_run_is_judged_by_its_report_and_not_by_an_enclave() -> None:
    reported = "INFO: x\nAttestation Success!\nPi is roughly 3.1\n"
    assert judged(DOMAIN, Logs(reported), "Pi is roughly").failure == ""
    silent = judged(DOMAIN, Logs(reported, {"executor-1": "started"}), "Pi is roughly")
    assert silent.failure == "the log of executor-1 does not report its attestation ('Attestation Success!')"
    refused = judged(DOMAIN, Logs("Attestation Fail! Application killed!"), None)
    assert refused.failure == "the attestation was refused"


def test_gramine_makes_the_quotes_of_enclaves_for_the_same_service() -> None:
    enclave = replace(DOMAIN, tee="sgx", attestation=replace(SERVICE, quote_type=None))
    told = variables(enclave, "driver")
    assert (told["SGX_ENABLED"], told["ATTESTATION_TYPE"]) == ("true", "BigDLRemoteAttestationService")
    assert "QUOTE_TYPE" not in told
