"""Known mistakes of upstream's guide and templates that concern whoever deploys: each impossible here, or caught.

A row is what the guide or a template says, and what is looked at here instead. Mistakes of upstream's own build files
and documents, which nothing here reads, have no row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from spark_cases import PI, environment, option, settings, submitting

from ppmlctl.expressions import parse
from ppmlctl.flows.spark.job import job_pod, submission_files
from ppmlctl.flows.spark.modules.spark_submit import SparkSubmit
from ppmlctl.flows.spark.pod_template import pod_template
from ppmlctl.flows.spark.submission import Security
from ppmlctl.flows.spark.submit_script import SUBMIT_SCRIPT
from ppmlctl.flows.spark.words import submit_words
from ppmlctl.protection import Attestation, EncryptedFs

ATTESTED = replace(
    PI,
    attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret", "https://pccs:1"),
    security=Security(rpc_auth=True, rpc_encryption=True, io_encryption=True, tls=True),
    has_keys=True,
    encrypted_fs=EncryptedFs("ehsm:9000", "kms-secret", "data-key-files"),
    claim="nfsvolumeclaim",
)


def container(role: Any = "driver") -> dict[str, Any]:
    (found,) = pod_template(ATTESTED, role)["spec"]["containers"]
    return dict(found)


def keys_read() -> set[str]:
    attestation = {"url": "e:9000", "service": "EHSMAttestationService", "secret": "kms-secret"}
    given = {"name": "pi", "namespace": "n", "image": "i", "application": "a", "has_keys": True}
    args = SparkSubmit.Args.model_validate({**given, "attestation": attestation, "security": {"tls": True}})
    return {f"{key.name}:{key.key}" for key in SparkSubmit().reads_secrets(args)}


def keys_of_data_key() -> list[str]:
    """What the shipped playbook puts into a data key's Secret."""
    tasks = YAML(typ="safe").load(Path(__file__).parents[2] / "playbooks/cluster.yaml")
    return [key for task in tasks if task["name"] == "data-key" for key in task["k8s_secret"]["data"]]


def image_of_pods(*, push: bool, digest: str = "sha256:d", catalogue: object = None) -> object:
    """What the shipped playbook makes of the signed image."""
    text = YAML(typ="safe").load(Path(__file__).parents[2] / "playbooks/workloads.yaml")["vars"]["platform"]["image"]
    images = {"custom": {"push": push}, "catalogue": catalogue}
    image = {"reference": "r:5000/c:1", "digest": digest, "id": "sha256:i"}
    return parse(text).evaluate({"env": {"images": images}, "image": image})


def secrets_mounted() -> set[str]:
    return {
        volume["secret"]["secretName"]
        for volume in pod_template(ATTESTED, "driver")["spec"]["volumes"]
        if "secret" in volume
    }


def texts_of_variables() -> bool:
    return all(isinstance(entry["value"], str) for entry in container()["env"] if "value" in entry)


def words() -> str:
    return " ".join(submit_words(ATTESTED))


MISTAKES: dict[str, tuple[Callable[[], object], object]] = {
    "1: the attestation example reads the key app_key": (
        lambda: environment(container())["API_KEY"]["secretKeyRef"]["key"],
        "api_key",
    ),
    "1: and nobody notices that no such key is made": (lambda: "kms-secret:api_key" in keys_read(), True),
    "2: the policy comes from a secret that nothing creates": (
        lambda: environment(container())["ATTESTATION_POLICYID"]["secretKeyRef"],
        {"name": "kms-secret", "key": "policy_id"},
    ),
    "3: a misspelt variable makes the master empty": (
        lambda: option(submit_words(PI), "--master"),
        "k8s://https://kubernetes.default.svc",
    ),
    "5: the data key lies under another name than the one it is read by": (
        lambda: [environment(container())[name] for name in ("EHSM_PRIMARY_KEY", "EHSM_DATA_KEY")],
        [f"/ppml/encrypted_keys/{key}" for key in keys_of_data_key()],
    ),
    "5: one template mounts another folder's keys": (
        lambda: [mount.get("subPath") for mount in container()["volumeMounts"] if "encrypted" in mount["mountPath"]],
        [None, "encrypted-fsd"],
    ),
    "6: a key file passes its check and is too short": (
        lambda: "LOCAL_DATA_KEY" in str(pod_template(ATTESTED, "executor")),
        False,
    ),
    "8: options are unknown to spark-submit, which ends with 0": (lambda: "--sgx-" in words(), False),
    "8: and are settings": (lambda: settings(PI)["spark.kubernetes.sgx.driver.jvm.mem"], "6g"),
    "9: variables are used that nobody set": (
        lambda: (
            {"SGX_ENABLED", "SGX_DRIVER_JVM_MEM_SIZE", "SGX_EXECUTOR_JVM_MEM_SIZE", "RUNTIME_DRIVER_MEMORY"}
            <= environment(container()).keys()
        ),
        True,
    ),
    "10: quotes stay in the class path of the enclave's command": (
        lambda: next(line for line in SUBMIT_SCRIPT.splitlines() if "-cp" in line).split(" -cp ")[1].count("'"),
        0,
    ),
    "11: booleans and numbers of variables are no text": (texts_of_variables, True),
    "13: the deploy mode is left to a default": (lambda: option(submit_words(PI), "--deploy-mode"), "cluster"),
    "14: secrets are named in two ways": (
        secrets_mounted,
        {"kubeconfig-secret", "ssl-keys", "spark-secret", "data-key-files"},
    ),
    "15: the API server's address is whatever a kubeconfig holds": (lambda: "127.0.0.1" in words(), False),
    "16: another image than the signed one, pulled always": (
        lambda: (settings(PI)["spark.kubernetes.container.image"], submitting(PI)["imagePullPolicy"]),
        ("ppml/custom:1", "IfNotPresent"),
    ),
    "16: or an older one that a node has under the same tag": (
        lambda: [
            image_of_pods(push=True),
            image_of_pods(push=False, catalogue={"size": "8g"}),
            image_of_pods(push=True, digest="sha256:i"),
            image_of_pods(push=False),
        ],
        ["r:5000/c:1@sha256:d", "r:5000/c:1@sha256:d", "r:5000/c:1", "r:5000/c:1"],
    ),
    "18: the attestation's address has a scheme": (lambda: environment(container())["ATTESTATION_URL"], "ehsm:9000"),
    "18: or a path, or no port": (
        lambda: [
            Attestation(url, "s", "kms-secret").variables["ATTESTATION_URL"]
            for url in ("https://ehsm:9000/", "HTTPS://ehsm", "ehsm/")
        ],
        ["ehsm:9000", "ehsm:443", "ehsm:443"],
    ),
    "the PCCS's address has the path that the entrypoint adds": (
        lambda: Attestation("e", "s", "k", "https://pccs:8081/sgx/certification/v4/").variables["PCCS_URL"],
        "https://pccs:8081",
    ),
    "19: EHSM listens on 9000, and the script assumes 3000": (lambda: environment(container())["EHSM_PORT"], "9000"),
    "22: in client mode the driver is at 127.0.0.1": (
        lambda: "spark.driver.host=$(PPMLCTL_ADDRESS)" in submitting(replace(PI, mode="client"))["args"],
        True,
    ),
    "template: SGX is asked for with SGX off": (
        lambda: "sgx.intel.com" in str(pod_template(replace(PI, device_plugin="none"), "driver")),
        False,
    ),
    "template: a missing socket of aesmd becomes a folder of the host": (
        lambda: [v["hostPath"]["type"] for v in pod_template(PI, "driver")["spec"]["volumes"] if "hostPath" in v],
        ["Socket"],
    ),
    "template: devices are mounted as whatever is there": (
        lambda: {
            v["hostPath"]["type"]
            for v in pod_template(replace(PI, device_plugin="host"), "executor")["spec"]["volumes"]
            if v["hostPath"]["path"].startswith("/dev/")
        },
        {"CharDevice"},
    ),
    "script: the account is demanded by one name and read by another": (
        lambda: {"APP_ID", "API_KEY", "APPID", "APIKEY"} <= environment(container("executor")).keys(),
        True,
    ),
    "script: 2.2's entrypoint demands the account by names of its own": (
        lambda: [environment(container())[f"ATTESTATION_{name}"]["secretKeyRef"]["key"] for name in ("ID", "KEY")],
        ["app_id", "api_key"],
    ),
    "script: passwords stand in arguments, in the trace and in the driver's ConfigMap": (
        lambda: [
            text for text in (words(), str(submission_files(ATTESTED)), str(job_pod(ATTESTED))) if "assword=" in text
        ],
        [],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_guide_is_not_made_here(mistake: str) -> None:
    found, expected = MISTAKES[mistake]
    assert found() == expected
