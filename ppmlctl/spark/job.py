"""The Kubernetes Job that submits, and the ConfigMap with the pod templates that it hands to Spark."""

from __future__ import annotations

import json
from typing import Any

from ppmlctl.spark.pod_template import AESM_SOCKET, pod_template, sgx_resources
from ppmlctl.spark.submission import Submission
from ppmlctl.spark.words import API_SERVER, TEMPLATES, submit_words

Manifest = dict[str, Any]
SUBMIT = "/ppml/bigdl-ppml-submit.sh"
WORKING_FOLDER = "/ppml"
"""Upstream's scripts call each other by relative paths."""


def templates_name(submission: Submission) -> str:
    """The ConfigMap's name."""
    return f"{submission.name}-templates"


def templates_manifest(submission: Submission) -> Manifest:
    """Both pod templates. JSON is YAML, so Spark reads it."""
    templates = {f"{role}.yaml": pod_template(submission, role) for role in ("driver", "executor")}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(submission, templates_name(submission)),
        "data": {name: json.dumps(template, indent=1, sort_keys=True) for name, template in templates.items()},
    }


def job_manifest(submission: Submission) -> Manifest:
    """One try, no repetition by Kubernetes: whether to try again is decided by whoever looks at the outcome."""
    pod: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": submission.service_account,
        "containers": [_container(submission)],
        "volumes": [{"name": name, **source} for name, (_, source) in _volumes(submission).items()],
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


def _container(submission: Submission) -> Manifest:
    container: Manifest = {
        "name": "submit",
        "image": submission.image,
        "imagePullPolicy": submission.image_pull_policy,
        "workingDir": WORKING_FOLDER,
        "command": ["bash", SUBMIT],
        "args": [word.replace("$(", "$$(") for word in submit_words(submission)],  # Kubernetes would fill in $(NAME)
        "env": _environment(submission),
        "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in _volumes(submission).items()],
    }
    if _is_enclave_here(submission) and submission.device_plugin == "intel":
        container["resources"] = {"requests": sgx_resources(submission), "limits": sgx_resources(submission)}
    if _is_enclave_here(submission) and submission.device_plugin == "host":
        container["securityContext"] = {"privileged": True}
    return container


def _environment(submission: Submission) -> list[Manifest]:
    """What the script demands. LOCAL_IP must be an address that the executors reach: the pod's own."""
    plain = {
        "RUNTIME_SPARK_MASTER": f"k8s://{API_SERVER}",
        "RUNTIME_K8S_SPARK_IMAGE": submission.image,
        "RUNTIME_DRIVER_MEMORY": submission.driver.memory,
        "RUNTIME_DRIVER_PORT": str(submission.driver_port),
        **submission.env,
    }
    found: list[Manifest] = [{"name": name, "value": value} for name, value in plain.items()]
    found.append({"name": "LOCAL_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    if submission.security.wanted:
        source = {"secretKeyRef": {"name": "spark-secret", "key": "secret"}}
        found.append({"name": "secure_password", "valueFrom": source})
    return found


def _is_enclave_here(submission: Submission) -> bool:
    """Local and client mode run the submitting JVM in an enclave; cluster mode submits without one."""
    return submission.mode in {"local-sgx", "client"}


def _volumes(submission: Submission) -> dict[str, tuple[str, Manifest]]:
    found: dict[str, tuple[str, Manifest]] = {
        "kubeconfig": ("/root/.kube", {"secret": {"secretName": "kubeconfig-secret"}})
    }
    if submission.on_cluster:
        found["templates"] = (TEMPLATES, {"configMap": {"name": templates_name(submission)}})
    if submission.has_keys:
        found["keys"] = ("/ppml/keys", {"secret": {"secretName": "ssl-keys"}})
        found["password"] = ("/ppml/password", {"secret": {"secretName": "ssl-password"}})
    if submission.claim:
        found["data"] = ("/ppml/data", {"persistentVolumeClaim": {"claimName": submission.claim}})
    if _is_enclave_here(submission) and submission.device_plugin != "none":
        found["aesm-socket"] = (AESM_SOCKET, {"hostPath": {"path": AESM_SOCKET, "type": "Socket"}})
    return found


def _metadata(submission: Submission, name: str) -> Manifest:
    return {"name": name, "namespace": submission.namespace, "labels": dict(submission.labels)}
