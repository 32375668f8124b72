"""Pod templates for driver and executor, as the images expect them (secrets, devices, attestation).

Numbers and booleans in `env` are text: Spark's client takes others, the API server does not. What stock Spark does not
set and the image's entrypoint demands is set here (`SGX_ENABLED`, heaps, `RUNTIME_DRIVER_MEMORY`). The socket of aesmd
has `type: Socket`, so that a missing one never becomes a folder on the host.
"""

from __future__ import annotations

from typing import Any, Literal

from ppmlctl.spark.encrypted_fs import account_references, encrypted_variables, folder_mounts, key_volume
from ppmlctl.spark.security import AUTHENTICATED_ENTRYPOINT, AUTHENTICATION, SECRET_FOLDER
from ppmlctl.spark.submission import Attestation, Submission

Role = Literal["driver", "executor"]
Manifest = dict[str, Any]
Volumes = dict[str, tuple[str, Manifest]]
"""Volumes by name, each with its mount path and source."""

AESM_SOCKET = "/var/run/aesmd/aesm.socket"
SPARK_SECRET, KEYS_SECRET, KUBECONFIG_SECRET = "spark-secret", "ssl-keys", "kubeconfig-secret"
_DEVICES = {"sgx-enclave": "/dev/sgx/enclave", "sgx-provision": "/dev/sgx/provision"}
_TDX_DEVICE = "/dev/tdx-attest"
"""Where the images' quoting library looks for the domain's device, whatever the node calls it."""
_DOMAIN_ACCESS: Manifest = {"securityContext": {"privileged": True}}
"""A device that no plugin hands out can be opened by privileged containers alone."""
USUAL_VARIABLES = {"MALLOC_ARENA_MAX": "4", "LC_ALL": "C.UTF-8"}
"""Where the user says nothing else. Without a locale Java does not understand what is not ASCII in its arguments."""
_ACCOUNT = {
    "APP_ID": "app_id",
    "API_KEY": "api_key",
    "ATTESTATION_ID": "app_id",
    "ATTESTATION_KEY": "api_key",
    "ATTESTATION_POLICYID": "policy_id",
}
"""Variables, and where the account's Secret has each. BigDL 2.2's entrypoint wants `ATTESTATION_ID` and `…_KEY`, its
scripts the other names; later releases read those alone."""


def pod_template(submission: Submission, role: Role) -> Manifest:
    """The whole Pod that Spark completes with its own settings. A driver outlives its deadline nowhere."""
    volumes = _volumes(submission, role)
    container: Manifest = {
        "name": f"spark-{role}",
        "env": _environment(submission, role),
        "volumeMounts": [*mounts(volumes), *folder_mounts(submission)],
        **_access(submission),
    }
    if submission.security.rpc_auth:
        container["command"] = [unreferenced(word) for word in AUTHENTICATED_ENTRYPOINT]
    pod: Manifest = {"containers": [container], "volumes": sources(volumes)}
    if role == "driver":
        pod["activeDeadlineSeconds"] = submission.deadline
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": dict(submission.labels)}, "spec": pod}


def _access(submission: Submission) -> Manifest:
    """The container's way to what protects it; in a domain that is the node, whose device only quotes need."""
    if submission.in_domain:
        return _DOMAIN_ACCESS if submission.attested else {}
    return sgx_access(submission, wanted=submission.in_enclave)


def completed_template(submission: Submission, role: Role) -> Manifest:
    """The template with what Spark adds at least, so that an API server can say whether it takes it."""
    template = pod_template(submission, role)
    (container,) = template["spec"]["containers"]
    container = {**container, "image": submission.image}
    metadata = {**template["metadata"], "name": f"{submission.name}-{role}", "namespace": submission.namespace}
    return {**template, "metadata": metadata, "spec": {**template["spec"], "containers": [container]}}


def attestation_environment(attestation: Attestation | None) -> list[Manifest]:
    """What `attestation.sh` reads. The account comes from a secret; upstream passes it on as arguments in the pod."""
    if attestation is None:
        return []
    references = (
        {"name": name, "valueFrom": {"secretKeyRef": {"name": attestation.secret, "key": key}}}
        for name, key in _ACCOUNT.items()
    )
    return [*plain(attestation.variables), *references]


def enclave_environment(submission: Submission) -> list[Manifest]:
    """What happens in an enclave before the application: its attestation, and the data key of its encrypted folder."""
    found = attestation_environment(submission.attested)
    if submission.encrypted:
        found += [*plain(encrypted_variables(submission.encrypted)), *account_references(submission.encrypted)]
    return list({entry["name"]: entry for entry in found}.values())  # both read the account


def plain(values: dict[str, str]) -> list[Manifest]:
    """Variables as a container takes them."""
    return [{"name": name, "value": unreferenced(value)} for name, value in values.items()]


def unreferenced(text: str) -> str:
    """The text so that Kubernetes, which fills in `$(NAME)` and makes `$$` one `$`, gives it on as it is."""
    return text.replace("$", "$$")


def sgx_access(submission: Submission, *, wanted: bool) -> Manifest:
    """A container's way to SGX: the resources of Intel's plugin (`epc` counted in bytes), or the host's devices."""
    if wanted and submission.device_plugin == "intel":
        epc = {"sgx.intel.com/epc": str(submission.epc_request)} if submission.epc_request else {}
        asked = {**epc, "sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"}
        return {"resources": {"requests": asked, "limits": dict(asked)}}
    if wanted and submission.device_plugin == "host":
        return {"securityContext": {"privileged": True}}
    return {}


def enclave_volumes(submission: Submission) -> Volumes:
    """What an enclave needs: its data key, the socket of the host's aesmd, and without a plugin the devices."""
    found: Volumes = key_volume(submission.encrypted) if submission.encrypted else {}
    found |= _aesm_socket()
    if submission.device_plugin == "host":
        for name, path in _DEVICES.items():
            found[name] = (path, {"hostPath": {"path": path, "type": "CharDevice"}})
    return found


def domain_volumes(submission: Submission) -> Volumes:
    """What quoting a domain needs of its node: the domain's device, and the socket of aesmd."""
    device = {"hostPath": {"path": submission.tdx_device, "type": "CharDevice"}}
    return {**_aesm_socket(), "tdx-device": (_TDX_DEVICE, device)}


def _aesm_socket() -> Volumes:
    return {"aesm-socket": (AESM_SOCKET, {"hostPath": {"path": AESM_SOCKET, "type": "Socket"}})}


def shared_volumes(submission: Submission) -> Volumes:
    """What a driver is given wherever it runs: kubeconfig, keys, the files with its passwords, data."""
    found: Volumes = {"kubeconfig": ("/root/.kube", {"secret": {"secretName": KUBECONFIG_SECRET}})}
    if submission.has_keys:
        found["secure-keys"] = ("/ppml/keys", {"secret": {"secretName": KEYS_SECRET}})
    if submission.security.wanted:
        found["spark-secret"] = (SECRET_FOLDER, {"secret": {"secretName": SPARK_SECRET}})
    return found | data_volumes(submission)


def data_volumes(submission: Submission) -> Volumes:
    """The claim of `cluster.storage`, else the node's folder, which has to be there."""
    if submission.claim:
        return {"data": ("/ppml/data", {"persistentVolumeClaim": {"claimName": submission.claim}})}
    if submission.data:
        return {"data": ("/ppml/data", {"hostPath": {"path": submission.data, "type": "Directory"}})}
    return {}


def mounts(volumes: Volumes) -> list[Manifest]:
    """The container's side of the volumes."""
    return [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()]


def sources(volumes: Volumes) -> list[Manifest]:
    """The pod's side of the volumes."""
    return [{"name": name, **source} for name, (_, source) in volumes.items()]


def _environment(submission: Submission, role: Role) -> list[Manifest]:
    """The user's variables stand here and not in Spark's settings, whose words may hold no blank. None undoes ours."""
    own = {"SGX_ENABLED": str(submission.in_enclave).lower()}
    if submission.in_enclave:
        own["SGX_DRIVER_JVM_MEM_SIZE"] = submission.driver.heap
        own["SGX_EXECUTOR_JVM_MEM_SIZE"] = submission.executor.heap
    if role == "driver":
        own["RUNTIME_DRIVER_MEMORY"] = submission.driver.memory
    return [*plain({**USUAL_VARIABLES, **submission.env, **own}), *enclave_environment(submission)]


def _volumes(submission: Submission, role: Role) -> Volumes:
    found = shared_volumes(submission) if role == "driver" else data_volumes(submission)
    if role == "executor" and submission.security.rpc_auth:
        items = [{"key": AUTHENTICATION, "path": AUTHENTICATION}]
        found["spark-secret"] = (SECRET_FOLDER, {"secret": {"secretName": SPARK_SECRET, "items": items}})
    if submission.in_domain:
        return found | (domain_volumes(submission) if submission.attested else {})
    return found | (enclave_volumes(submission) if submission.in_enclave else {})
