"""The words of spark-submit: options, the application, its arguments. No secret is among them.

In an enclave they go through `$sgx_command`, which the image's shell splits at blanks without a look at quotes, so no
word may be empty or hold a blank; ppml.yaml's validation sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.flows.spark.security import security_settings
from ppmlctl.flows.spark.submission import API_SERVER, Submission, driver_name
from ppmlctl.kubernetes.admission import SUBMISSION_FOLDER
from ppmlctl.kubernetes.pod_parts import unreferenced

_PATIENCE = "10000000"
"""Upstream's timeouts (ms): an enclave that swaps pages may not answer for long."""


def submit_words(submission: Submission, *, api_server: str = API_SERVER, folder: str = SUBMISSION_FOLDER) -> list[str]:
    """All words. `api_server` is the cluster as the submitting process reaches it, `folder` where it has its files."""
    arguments = submission.arguments
    if submission.mode == "cluster":  # Spark makes them the arguments of a pod as they are
        arguments = tuple(unreferenced(argument) for argument in arguments)
    return [*_options(submission, api_server), *_settings(submission, folder), submission.application, *arguments]


def _options(submission: Submission, api_server: str) -> Iterator[str]:
    driver, executor = submission.driver, submission.executor
    if submission.on_cluster:
        yield from ("--master", f"k8s://{api_server}", "--deploy-mode", submission.mode)
        yield from ("--num-executors", str(executor.instances))
        yield from ("--executor-memory", executor.memory, "--executor-cores", str(executor.cores))
    else:
        yield from ("--master", f"local[{driver.cores}]")
    yield from ("--driver-memory", driver.memory, "--driver-cores", str(driver.cores))
    yield from ("--name", submission.workload)
    if submission.main_class:
        yield from ("--class", submission.main_class)
    if submission.jars:
        yield from ("--jars", ",".join(submission.jars))


def _settings(submission: Submission, folder: str) -> Iterator[str]:
    """The user's settings win over defaults, and lose to names, accounts and security."""
    fixed = {**dict(_cluster_settings(submission, folder)), **dict(security_settings(submission))}
    for name, value in {**dict(_defaults(submission)), **submission.conf, **fixed}.items():
        yield from ("--conf", f"{name}={value}")


def _defaults(submission: Submission) -> Iterator[tuple[str, str]]:
    yield "spark.network.timeout", _PATIENCE
    yield "spark.executor.heartbeatInterval", _PATIENCE
    yield "spark.python.use.daemon", "false"
    yield "spark.python.worker.reuse", "false"
    if submission.on_cluster:
        yield "spark.kubernetes.executor.deleteOnTermination", str(submission.is_server).lower()
        yield "spark.kubernetes.file.upload.path", "file:///tmp"


def _cluster_settings(submission: Submission, folder: str) -> Iterator[tuple[str, str]]:
    """The submission does not wait: what the driver does is seen by its pod, not by who asked for it."""
    if not submission.on_cluster:
        return
    yield "spark.kubernetes.container.image", submission.image
    yield "spark.kubernetes.container.image.pullPolicy", submission.image_pull_policy
    if submission.image_pull_secrets:
        yield "spark.kubernetes.container.image.pullSecrets", ",".join(submission.image_pull_secrets)
    yield "spark.kubernetes.namespace", submission.namespace
    yield "spark.kubernetes.authenticate.driver.serviceAccountName", submission.service_account
    yield "spark.kubernetes.authenticate.executor.serviceAccountName", submission.service_account
    for role in submission.asked_for:
        yield f"spark.kubernetes.{role}.podTemplateFile", f"{folder}/{role}.yaml"
    if not submission.is_server:  # executors of one that ended may still be there when it begins anew
        yield "spark.kubernetes.executor.podNamePrefix", submission.name
    if submission.mode == "cluster":
        yield "spark.kubernetes.driver.pod.name", driver_name(submission.name)
        yield "spark.kubernetes.submission.waitAppCompletion", "false"
    else:
        yield "spark.driver.port", str(submission.driver_port)
    if submission.address:
        yield "spark.driver.host", submission.address
    for name, value in submission.labels.items():
        yield f"spark.kubernetes.driver.label.{name}", value
        yield f"spark.kubernetes.executor.label.{name}", value
    yield from _sgx_settings(submission)


def _sgx_settings(submission: Submission) -> Iterator[tuple[str, str]]:
    """What the vendor's Spark makes the pods' variables of; the templates set the same, for a Spark that does not."""
    yield "spark.kubernetes.sgx.enabled", str(submission.in_enclave).lower()
    if submission.in_enclave:
        yield "spark.kubernetes.sgx.driver.jvm.mem", submission.driver.heap
        yield "spark.kubernetes.sgx.executor.jvm.mem", submission.executor.heap
