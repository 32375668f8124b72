"""The Kubernetes Job that submits, the ConfigMap that it works from, and the one that admits its pod."""

from __future__ import annotations

import json

from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, mounts, plain, sources, unreferenced
from ppmlctl.protection import container_fields, host_volumes, key_volume
from ppmlctl.spark.pod_template import (
    USUAL_VARIABLES,
    enclave_environment,
    encrypted_folder,
    pod_template,
    shared_volumes,
)
from ppmlctl.spark.security import SECRET_FILE
from ppmlctl.spark.submission import Submission
from ppmlctl.spark.submit_script import ADMISSION_FOLDER, ADMITTED, NAME, SUBMIT_SCRIPT
from ppmlctl.spark.words import SUBMISSION_FOLDER, submit_words

WORKING_FOLDER = "/ppml"
"""The image's scripts call each other by relative paths."""
SUBMIT_CONTAINER = "submit"


def submission_files(submission: Submission) -> dict[str, str]:
    """The script, and both pod templates where Spark asks for pods. JSON is YAML, so Spark reads it."""
    files = {NAME: SUBMIT_SCRIPT}
    if submission.on_cluster:
        for role in ("driver", "executor"):
            files[f"{role}.yaml"] = json.dumps(pod_template(submission, role), indent=1, sort_keys=True)
    return files


def files_manifest(submission: Submission) -> Manifest:
    """The ConfigMap with `submission_files`."""
    metadata = _metadata(submission, f"{submission.name}-submission")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": submission_files(submission)}


def admission_manifest(submission: Submission, pod: str) -> Manifest:
    """The ConfigMap that lets one pod of the Job begin. To create it is the decision: made once, never changed.

    Until it is there the Job's pod waits for its mount; a pod that replaces the admitted one reads another name in it.
    """
    metadata = _metadata(submission, admission_name(submission))
    data = {ADMITTED: pod}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, "immutable": True}


def admission_name(submission: Submission) -> str:
    """The ConfigMap's name."""
    return f"{submission.name}-admission"


def job_manifest(submission: Submission) -> Manifest:
    """One try, no repetition by Kubernetes: whether to try again is decided by whoever looks at the outcome."""
    volumes = _volumes(submission)
    pod: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": submission.service_account,
        "containers": [_container(submission)],
        "volumes": sources(volumes),
    }
    if submission.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in submission.image_pull_secrets]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(submission, submission.name),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": submission.deadline,
            "template": {"metadata": {"labels": dict(submission.labels)}, "spec": pod},
        },
    }


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
    found: Volumes = {
        "admission": (ADMISSION_FOLDER, {"configMap": {"name": admission_name(submission)}}),
        "submission": (SUBMISSION_FOLDER, {"configMap": {"name": f"{submission.name}-submission"}}),
        **shared_volumes(submission),
    }
    key = key_volume(submission.encrypted) if submission.enclave_is_here else {}
    return found | key | host_volumes(submission.access("submitter"))


def _metadata(submission: Submission, name: str) -> Manifest:
    return {"name": name, "namespace": submission.namespace, "labels": dict(submission.labels)}
