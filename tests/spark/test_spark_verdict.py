"""What a run that ended is worth, by its logs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from spark_cases import PI

from ppmlctl.evidence import Evidence
from ppmlctl.flows.spark.verdict import Logs, Verdict, judged
from ppmlctl.protection import Attestation

OPEN = replace(PI, device_plugin="none")
ATTESTED = replace(PI, attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret"))
START = "Gramine is starting. Parsing TOML manifest file, this may take some time...\n"


def test_a_log_that_holds_what_was_expected_is_reported_and_never_more() -> None:
    assert judged(OPEN, Logs("Pi is roughly 3.1"), "Pi is roughly") == Verdict(
        "ran, its log holds what was expected", Evidence.REPORTED
    )


def test_without_an_expectation_nothing_was_checked() -> None:
    assert judged(OPEN, Logs(""), None) == Verdict("ran, result not checked", Evidence.NOT_VERIFIED)


def test_a_log_without_what_was_expected_is_a_failure() -> None:
    assert judged(OPEN, Logs("done"), "Pi is roughly").failure == "its log does not hold 'Pi is roughly'"


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("/ppml/bash.sig is not ready", "the image is not signed"),
        ("both /dev/sgx/enclave /dev/sgx_enclave are not ready", "there is no SGX device"),
        ("[ERROR] Attestation is enabled, but ATTESTATION_URL is empty!", "a variable of the attestation is not set"),
        ("Attestation Fail! Application killed!", "the attestation was refused"),
        ("ERROR:Attestation Fail! In debug mode, continue.", "the attestation was refused, and debug mode ran on"),
        (
            'JASONObject["result"] is not a JASONObject',
            "EHSM refused the enclave: its policy is of another one",
        ),
        (
            'org.json.JSONException: JSONObject["sign"] not found.',
            "EHSM does not know the account or the policy, or the key is wrong",
        ),
    ],
)
def test_a_known_failure_line_counts_whatever_the_exit_status_was(line: str, meaning: str) -> None:
    assert judged(PI, Logs(f"{START}Pi is roughly 3.1\n{line}\n"), "Pi is roughly").failure == meaning


def test_in_an_enclave_gramine_has_to_have_started() -> None:
    assert judged(PI, Logs("Pi is roughly 3.1"), "Pi is roughly").failure == (
        "no enclave began: its log does not hold 'Gramine is starting'"
    )
    assert not judged(PI, Logs(f"{START}Pi is roughly 3.1"), "Pi is roughly").failure


def test_driver_and_every_executor_have_to_report_their_attestation() -> None:
    good = f"{START}Attestation Success!\nPi is roughly 3.1"
    assert not judged(ATTESTED, Logs(good, {"exec-1": f"{START}Attestation Success!"}), "Pi is roughly").failure
    assert judged(ATTESTED, Logs(good, {"exec-1": f"{START}ran"}), "Pi is roughly").failure == (
        "the log of exec-1 does not report its attestation ('Attestation Success!')"
    )
    assert judged(ATTESTED, Logs(f"{START}Pi is roughly 3.1"), "Pi is roughly").failure == (
        "the log of the driver does not report its attestation ('Attestation Success!')"
    )


def test_an_executor_outside_of_its_enclave_makes_the_run_a_failure() -> None:
    logs = Logs(f"{START}Pi is roughly 3.1", {"pi-exec-1": "ran"})
    assert judged(PI, logs, "Pi is roughly").failure == (
        "no enclave began (pi-exec-1): its log does not hold 'Gramine is starting'"
    )
    assert not judged(OPEN, logs, "Pi is roughly").failure


def test_an_executor_that_was_refused_and_went_on_makes_the_run_a_failure() -> None:
    good = f"{START}Attestation Success!\nPi is roughly 3.1"
    refused = f"{START}ERROR:Attestation Fail! In debug mode, continue.\n"
    assert judged(ATTESTED, Logs(good, {"pi-exec-1": refused}), None).failure == (
        "the attestation was refused, and debug mode ran on (pi-exec-1)"
    )


@pytest.mark.parametrize("log", ["", START, "both /dev/sgx/enclave /dev/sgx_enclave are not ready"])
def test_an_executor_that_never_registered_with_the_driver_computed_nothing(log: str) -> None:
    line = (
        "INFO KubernetesDriverEndpoint: Registered executor NettyRpcEndpointRef(spark-client://Executor) (10.0.0.7:4)"
    )
    driver = f"{START}Attestation Success!\n{line} with ID 1,  ResourceProfileId 0\nPi is roughly 3.1"
    executors = {"pi-exec-1": f"{START}Attestation Success!", "pi-exec-2": log}
    assert not judged(ATTESTED, Logs(driver, executors), "Pi is roughly").failure
    assert judged(ATTESTED, Logs(driver.replace("ID 1", "ID 2"), executors), "Pi is roughly").failure


def test_an_attestation_that_need_not_succeed_fails_nothing() -> None:
    assert ATTESTED.attestation
    lax = replace(ATTESTED, attestation=replace(ATTESTED.attestation, must_succeed=False))
    log = f"{START}ERROR:Attestation Fail! In debug mode, continue.\nPi is roughly 3.1"
    assert not judged(lax, Logs(log), "Pi is roughly").failure


def test_outside_of_an_enclave_nothing_attests() -> None:
    assert not judged(replace(ATTESTED, mode="local"), Logs("Pi is roughly 3.1"), "Pi is roughly").failure


def test_an_outdated_platform_is_accepted_and_said() -> None:
    log = f"{START}WARNING: Attestation pass but BIOS or the software is out of date.\nAttestation Success!"
    assert judged(ATTESTED, Logs(log), None).warnings == (
        "it attested on a platform whose BIOS or software is out of date",
    )
