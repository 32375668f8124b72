"""What submits: the files that it works from, its variables, and the pod that it is in where a Job makes one."""

from __future__ import annotations

import json

from ppmlctl.flows.spark.pod_template import (
    USUAL_VARIABLES,
    enclave_environment,
    encrypted_folder,
    pod_template,
    shared_volumes,
)
from ppmlctl.flows.spark.security import SECRET_FILE
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.flows.spark.submit_script import NAME, SERVER_SCRIPT, SUBMIT_SCRIPT
from ppmlctl.flows.spark.words import submit_words
from ppmlctl.kubernetes.admission import SUBMISSION_FOLDER, submission_volumes
from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, mounts, plain, sources, unreferenced
from ppmlctl.protection import KEYS_FOLDER, container_fields, encrypted_variables, host_volumes, key_volume

WORKING_FOLDER = "/ppml"
"""The image's scripts call each other by relative paths."""
SUBMIT_CONTAINER = "submit"


def submission_files(submission: Submission) -> dict[str, str]:
    """The script, and the templates of the pods that Spark asks for. JSON is YAML, so Spark reads it."""
    files = {NAME: SERVER_SCRIPT if submission.is_server else SUBMIT_SCRIPT}
    for role in submission.asked_for:
        files[f"{role}.yaml"] = json.dumps(pod_template(submission, role), indent=1, sort_keys=True)
    return files


def job_pod(submission: Submission) -> Manifest:
    """The spec of the pod of a Job that submits."""
    volumes = _volumes(submission)
    pod: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": submission.service_account,
        "containers": [_container(submission)],
        "volumes": sources(volumes),
    }
    if submission.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in submission.image_pull_secrets]
    return pod


def submit_environment(submission: Submission) -> dict[str, str]:
    """What the script and the image's programs read; no secret."""
    authenticated = submission.mode == "client" and submission.security.rpc_auth
    return {
        **USUAL_VARIABLES,
        **submission.env,
        "RUNTIME_DRIVER_MEMORY": submission.driver.memory,  # upstream's edited spark-submit does not start without it
        "PPMLCTL_ENCLAVE": str(submission.enclave_is_here).lower(),
        "PPMLCTL_HEAP": submission.driver.heap,
        **({"PPMLCTL_SECRET_FILE": SECRET_FILE} if authenticated else {}),
    }


def client_environment(submission: Submission) -> dict[str, str]:
    """What they read in the client container. No account is in it: the script there reads that from files."""
    own = submit_environment(submission)
    if not submission.enclave_is_here:
        return own
    attestation, encrypted = submission.attested, submission.encrypted
    if attestation is not None:
        own |= attestation.variables
    if encrypted is not None:
        own |= encrypted_variables(encrypted, f"{KEYS_FOLDER}/{encrypted.data_key}")
    return own


def _container(submission: Submission) -> Manifest:
    here = submission.enclave_is_here
    words = [unreferenced(word) for word in submit_words(submission)]
    return {
        "name": SUBMIT_CONTAINER,
        "image": submission.image,
        "imagePullPolicy": submission.image_pull_policy,
        "workingDir": WORKING_FOLDER,
        "command": ["bash", f"{SUBMISSION_FOLDER}/{NAME}"],
        "args": [*_words_of_the_pod(submission), *words],
        "env": _environment(submission),
        "volumeMounts": [*mounts(_volumes(submission)), *(encrypted_folder(submission) if here else [])],
        **container_fields(submission.access("submitter"), submission.epc_request),
    }


def _words_of_the_pod(submission: Submission) -> list[str]:
    """In client mode the driver is this pod: executors connect to its address, and go with it when it is deleted."""
    if submission.mode != "client":
        return []
    return [
        *("--conf", "spark.driver.host=$(PPMLCTL_ADDRESS)"),
        *("--conf", "spark.kubernetes.driver.pod.name=$(PPMLCTL_POD)"),
    ]


def _environment(submission: Submission) -> list[Manifest]:
    fields = {"PPMLCTL_POD": "metadata.name", "PPMLCTL_ADDRESS": "status.podIP"}
    own = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    enclave = enclave_environment(submission) if submission.enclave_is_here else []
    return [*own, *plain(submit_environment(submission)), *enclave]


def _volumes(submission: Submission) -> Volumes:
    volumes = submission_volumes(submission.name)
    if submission.is_server:
        del volumes["admission"]
    found: Volumes = volumes | shared_volumes(submission)
    key = key_volume(submission.encrypted) if submission.enclave_is_here else {}
    return found | key | host_volumes(submission.access("submitter"))
