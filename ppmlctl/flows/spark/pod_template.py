"""Pod templates for driver and executor, as the images expect them (secrets, devices, attestation).

Numbers and booleans in `env` are text: Spark's client takes others, the API server does not. What stock Spark does not
set and the image's entrypoint demands is set here (`SGX_ENABLED`, heaps, `RUNTIME_DRIVER_MEMORY`).
"""

from __future__ import annotations

from typing import Literal

from ppmlctl.flows.spark.security import AUTHENTICATED_ENTRYPOINT, AUTHENTICATION, SECRET_FOLDER
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, mounts, plain, sources, unreferenced
from ppmlctl.protection import (
    attestation_environment,
    container_fields,
    encrypted_environment,
    folder_mounts,
    host_volumes,
    key_volume,
)

Role = Literal["driver", "executor"]

SPARK_SECRET, KEYS_SECRET, KUBECONFIG_SECRET = "spark-secret", "ssl-keys", "kubeconfig-secret"
USUAL_VARIABLES = {"MALLOC_ARENA_MAX": "4", "LC_ALL": "C.UTF-8"}
"""Where the user says nothing else. Without a locale Java does not understand what is not ASCII in its arguments."""


def pod_template(submission: Submission, role: Role) -> Manifest:
    """The whole Pod that Spark completes with its own settings. A driver outlives its deadline nowhere."""
    volumes = _volumes(submission, role)
    container: Manifest = {
        "name": f"spark-{role}",
        "env": _environment(submission, role),
        "volumeMounts": [*mounts(volumes), *encrypted_folder(submission)],
        **container_fields(submission.access(role), submission.epc_request),
    }
    if submission.security.rpc_auth:
        container["command"] = [unreferenced(word) for word in AUTHENTICATED_ENTRYPOINT]
    pod: Manifest = {"containers": [container], "volumes": sources(volumes)}
    if role == "driver":
        pod["activeDeadlineSeconds"] = submission.deadline
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": dict(submission.labels)}, "spec": pod}


def completed_template(submission: Submission, role: Role) -> Manifest:
    """The template with what Spark adds at least, so that an API server can say whether it takes it."""
    template = pod_template(submission, role)
    (container,) = template["spec"]["containers"]
    container = {**container, "image": submission.image}
    metadata = {**template["metadata"], "name": f"{submission.name}-{role}", "namespace": submission.namespace}
    return {**template, "metadata": metadata, "spec": {**template["spec"], "containers": [container]}}


def enclave_environment(submission: Submission) -> list[Manifest]:
    """What happens in an enclave before the application: its attestation, and the data key of its encrypted folder."""
    found = [*attestation_environment(submission.attested), *encrypted_environment(submission.encrypted)]
    return list({entry["name"]: entry for entry in found}.values())  # both read the account


def encrypted_folder(submission: Submission) -> list[Manifest]:
    """Its mount, out of the shared data."""
    return folder_mounts(submission.encrypted, has_data=bool(submission.claim or submission.data))


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
    return found | key_volume(submission.encrypted) | host_volumes(submission.access(role))
