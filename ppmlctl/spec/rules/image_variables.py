"""Rules for variables of processes: none undoes what ppml.yaml has a key for."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.rules.workloads import kinds_of

VARIABLES = {
    "SGX_ENABLED": "mode",
    "SGX_DRIVER_JVM_MEM_SIZE": "driver.jvm_memory",
    "SGX_EXECUTOR_JVM_MEM_SIZE": "executor.jvm_memory",
    "RUNTIME_DRIVER_MEMORY": "driver.memory",
    "ATTESTATION": "attestation.enabled",
    "ATTESTATION_TYPE": "attestation.type",
    "ATTESTATION_URL": "kms.ehsm.url` or `attestation.service.url",
    "QUOTE_TYPE": "tee",
    "PCCS_URL": "pccs.url",
    "ENCRYPTED_FSD": "encrypted_fs: {data_key: …}",
    "EHSM_URL": "kms.ehsm.url",
    "EHSM_PORT": "kms.ehsm.url",
    "EHSM_PRIMARY_KEY": "encrypted_fs: {data_key: …}",
    "EHSM_DATA_KEY": "encrypted_fs: {data_key: …}",
    "USING_LOCAL_DATA_KEY": "encrypted_fs: {data_key: …}",
    "LOCAL_DATA_KEY": "encrypted_fs: {data_key: …}",
    "APP_ID": "kms.ehsm.enroll",
    "API_KEY": "kms.ehsm.enroll",
    "APPID": "kms.ehsm.enroll",
    "APIKEY": "kms.ehsm.enroll",
    "ATTESTATION_ID": "kms.ehsm.enroll",
    "ATTESTATION_KEY": "kms.ehsm.enroll",
    "ATTESTATION_POLICYID": "kms.ehsm.register",
    "PPMLCTL_EHSM_CA": "kms.ehsm.tls.ca",
    "PPMLCTL_EHSM_FINGERPRINT": "kms.ehsm.tls.fingerprint",
    "PPMLCTL_EHSM_INSECURE": "kms.ehsm.tls.insecure",
}
"""Variables that the images read, and the key that each is made of."""
_DEBUG = "ATTESTATION_DEBUG"


def variables_are_not_the_images(environment: Environment) -> Iterator[Finding]:
    """What decides whether a process runs in an enclave, attests and opens its folder is said by keys alone."""
    lax = environment.attestation.enabled and not environment.attestation.require_success
    for path, kind in kinds_of(environment):
        for place, name in kind.variables(path):
            if name in VARIABLES:
                title, why = "a variable has a key of its own", "by it the image decides what is protected, and how"
                if "LOCAL" in name:
                    why = "whoever runs the cluster reads a data key that lies in a file"
                fix = f"remove it, and say it with `{VARIABLES[name]}`"
                yield Finding(place, "env-has-key", title, name, why, fix, at_key=True)
            elif name == _DEBUG and not lax:
                title, why = "a refused attestation would not stop the workload", "that is what this variable is for"
                fix = "remove it, or say `attestation: {require_success: false}`"
                yield Finding(place, "attestation-undone", title, name, why, fix, at_key=True)
