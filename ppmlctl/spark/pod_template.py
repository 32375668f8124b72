"""Pod templates for driver and executor, as the images expect them (runtime contract: secrets, devices, attestation).

Numbers and booleans in `env` are text: Spark's client takes others, the API server does not. The socket of aesmd has
`type: Socket`, so that a missing one never becomes a folder on the host.
"""

from __future__ import annotations

from typing import Any, Literal

from ppmlctl.spark.submission import Attestation, Submission

Role = Literal["driver", "executor"]
Manifest = dict[str, Any]

AESM_SOCKET = "/var/run/aesmd/aesm.socket"
_DEVICES = {"sgx-enclave": "/dev/sgx/enclave", "sgx-provision": "/dev/sgx/provision"}


def pod_template(submission: Submission, role: Role) -> Manifest:
    """The whole Pod that Spark completes with its own settings."""
    volumes = _volumes(submission, role)
    container: Manifest = {
        "name": f"spark-{role}",
        "env": _environment(submission, role),
        "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()],
    }
    if submission.in_enclave and submission.device_plugin == "intel":
        container["resources"] = {"requests": _sgx_resources(submission), "limits": _sgx_resources(submission)}
    if submission.in_enclave and submission.device_plugin == "host":
        container["securityContext"] = {"privileged": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": dict(submission.labels)},
        "spec": {"containers": [container], "volumes": [{"name": n, **source} for n, (_, source) in volumes.items()]},
    }


def attestation_environment(attestation: Attestation) -> list[Manifest]:
    """What `attestation.sh` reads. The account comes from a secret; upstream passes it on as arguments in the pod."""
    plain = {
        "ATTESTATION": "true",
        "ATTESTATION_URL": attestation.url,
        "ATTESTATION_TYPE": attestation.service,
    }
    if attestation.pccs_url:
        plain["PCCS_URL"] = attestation.pccs_url
    secret = {"APP_ID": "app_id", "API_KEY": "api_key", "ATTESTATION_POLICYID": "policy_id"}
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        *(
            {"name": name, "valueFrom": {"secretKeyRef": {"name": attestation.secret, "key": key}}}
            for name, key in secret.items()
        ),
    ]


def sgx_resources(submission: Submission) -> Manifest:
    """The extended resources of Intel's device plugin; `epc` is counted in bytes."""
    return _sgx_resources(submission)


def _environment(submission: Submission, role: Role) -> list[Manifest]:
    """The user's variables stand here and not in Spark's settings, whose words may hold no blank."""
    plain = {"RUNTIME_DRIVER_MEMORY": submission.driver.memory} if role == "driver" else {}
    own = [{"name": name, "value": value} for name, value in {**plain, **submission.env}.items()]
    attested = attestation_environment(submission.attestation) if submission.attestation else []
    return [*own, *attested]


def _sgx_resources(submission: Submission) -> Manifest:
    epc = {"sgx.intel.com/epc": str(submission.epc_request)} if submission.epc_request else {}
    return {**epc, "sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"}


def _volumes(submission: Submission, role: Role) -> dict[str, tuple[str, Manifest]]:
    """Volumes by name, each with its mount path and source."""
    found: dict[str, tuple[str, Manifest]] = {}
    if role == "driver":
        found["kubeconfig"] = ("/root/.kube", {"secret": {"secretName": "kubeconfig-secret"}})
    if role == "driver" and submission.has_keys:
        found["secure-keys"] = ("/ppml/keys", {"secret": {"secretName": "ssl-keys"}})
    if submission.claim:
        found["data"] = ("/ppml/data", {"persistentVolumeClaim": {"claimName": submission.claim}})
    if submission.in_enclave and submission.device_plugin != "none":
        found["aesm-socket"] = (AESM_SOCKET, {"hostPath": {"path": AESM_SOCKET, "type": "Socket"}})
    if submission.in_enclave and submission.device_plugin == "host":
        for name, path in _DEVICES.items():
            found[name] = (path, {"hostPath": {"path": path, "type": "CharDevice"}})
    return found
