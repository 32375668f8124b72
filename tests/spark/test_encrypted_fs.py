"""The encrypted folder: what driver, executors and the submitting container are given for it, and what not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from spark_cases import PI, environment, submitting

from ppmlctl.flows.spark.job import job_pod
from ppmlctl.flows.spark.pod_template import pod_template
from ppmlctl.protection import Attestation, EncryptedFs, encrypted_variables

ENCRYPTED = EncryptedFs("ehsm:9000", "kms-secret", "data-key-warehouse", "warehouse")
REPORT = replace(PI, encrypted_fs=ENCRYPTED, claim="nfsvolumeclaim")
FOLDER = {"name": "data", "mountPath": "/ppml/encrypted-fsd", "subPath": "encrypted-fsd"}
KEY = {"name": "data-key", "mountPath": "/ppml/encrypted_keys"}


def container(submission: Any, role: Any) -> dict[str, Any]:
    (found,) = pod_template(submission, role)["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_driver_and_executors_get_the_variables_that_the_images_script_demands(role: str) -> None:
    found = environment(container(REPORT, role))
    app_id, api_key = ({"secretKeyRef": {"name": "kms-secret", "key": key}} for key in ("app_id", "api_key"))
    expected = {
        "ENCRYPTED_FSD": "true",
        "EHSM_URL": "ehsm",
        "EHSM_PORT": "9000",
        "EHSM_PRIMARY_KEY": "/ppml/encrypted_keys/encrypted_primary_key",
        "EHSM_DATA_KEY": "/ppml/encrypted_keys/encrypted_data_key",
        "APP_ID": app_id,
        "API_KEY": api_key,
        "APPID": app_id,
        "APIKEY": api_key,
    }
    assert {name: found[name] for name in expected} == expected
    assert "USING_LOCAL_DATA_KEY" not in found


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_they_mount_the_wrapped_key_and_the_folder_in_the_shared_data(role: Any) -> None:
    mounts = container(REPORT, role)["volumeMounts"]
    assert [mount for mount in mounts if mount in (KEY, FOLDER)] == [KEY, FOLDER]
    volumes = {volume["name"]: volume for volume in pod_template(REPORT, role)["spec"]["volumes"]}
    assert volumes["data-key"]["secret"] == {"secretName": "data-key-warehouse"}
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "nfsvolumeclaim"}


def test_a_folder_of_the_node_serves_as_well_and_without_either_the_folder_is_the_containers_own() -> None:
    assert FOLDER in container(replace(REPORT, claim=None, data="/srv/ppml"), "executor")["volumeMounts"]
    mounts = container(replace(REPORT, claim=None), "executor")["volumeMounts"]
    assert [mount["mountPath"] for mount in mounts] == ["/ppml/encrypted_keys", "/var/run/aesmd/aesm.socket"]


def test_a_variable_that_attestation_reads_too_is_given_once() -> None:
    attested = replace(REPORT, attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret"))
    names = [entry["name"] for entry in container(attested, "driver")["env"]]
    assert sorted(names) == sorted(set(names))
    assert {"ATTESTATION_POLICYID", "APP_ID", "APPID"} <= set(names)


@pytest.mark.parametrize(("mode", "here"), [("cluster", False), ("client", True), ("local-sgx", True)])
def test_the_submitting_pod_is_given_it_where_it_is_the_driver(mode: Any, *, here: bool) -> None:
    submission = replace(REPORT, mode=mode)
    found = submitting(submission)
    assert ("ENCRYPTED_FSD" in environment(found)) is here
    assert (KEY in found["volumeMounts"]) is here
    assert (FOLDER in found["volumeMounts"]) is here
    volumes = [volume["name"] for volume in job_pod(submission)["volumes"]]
    assert ("data-key" in volumes) is here


@pytest.mark.parametrize("outside", [{"mode": "local"}, {"device_plugin": "none"}])
def test_outside_of_enclaves_nobody_gets_the_key(outside: dict[str, Any]) -> None:
    submission = replace(REPORT, **outside)
    everything = str([job_pod(submission), pod_template(submission, "driver"), pod_template(submission, "executor")])
    assert "data-key" not in everything
    assert "ENCRYPTED_FSD" not in everything


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("ehsm:9000", "ehsm", "9000"),
        ("ehsm.example.com", "ehsm.example.com", "443"),
        ("192.0.2.1:1/", "192.0.2.1", "1"),
    ],
)
def test_host_and_port_are_variables_of_their_own(url: str, host: str, port: str) -> None:
    found = encrypted_variables(replace(ENCRYPTED, url=url))
    assert (found["EHSM_URL"], found["EHSM_PORT"]) == (host, port)
