"""The words of bigdl-ppml-submit.sh (upstream `ppml/trusted-bigdata/bigdl-ppml-submit.sh`).

The script splits its words again at blanks and passes every unknown option on together with the next word, so no word
may be empty or hold a blank; ppml.yaml's validation sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spark.submission import Submission, driver_name

API_SERVER = "https://kubernetes.default.svc"
"""The API server as every pod reaches it, and as its certificate names it."""
TEMPLATES = "/ppml/templates"

_OFF = {
    "rpc_auth": ("spark.authenticate",),
    "rpc_encryption": ("spark.network.crypto.enabled", "spark.authenticate.enableSaslEncryption"),
    "io_encryption": ("spark.io.encryption.enabled",),
    "tls": ("spark.ssl.enabled",),
}


def submit_words(submission: Submission) -> list[str]:
    """The options, the application and its arguments, in this order. No secret is among them."""
    return [*_own_options(submission), *_settings(submission), submission.application, *submission.arguments]


def _own_options(submission: Submission) -> Iterator[str]:
    driver, executor = submission.driver, submission.executor
    if submission.on_cluster:
        yield from ("--master", f"k8s://{API_SERVER}", "--deploy-mode", submission.mode)
        yield from (
            "--driver-template",
            f"{TEMPLATES}/driver.yaml",
            "--executor-template",
            f"{TEMPLATES}/executor.yaml",
        )
    else:
        yield from ("--master", f"local[{driver.cores}]")
    if submission.in_enclave:
        yield from ("--sgx-enabled", "true")
        yield from ("--sgx-driver-jvm-memory", driver.jvm_memory or driver.memory)
        yield from ("--sgx-executor-jvm-memory", executor.jvm_memory or executor.memory)
    yield from ("--driver-memory", driver.memory, "--driver-cores", str(driver.cores))
    yield from ("--executor-memory", executor.memory, "--executor-cores", str(executor.cores))
    yield from ("--num-executors", str(executor.instances), "--name", submission.workload)
    if submission.main_class:
        yield from ("--class", submission.main_class)
    if submission.jars:
        yield from ("--jars", ",".join(submission.jars))


def _settings(submission: Submission) -> Iterator[str]:
    settings = dict(_cluster_settings(submission)) if submission.on_cluster else {}
    settings |= dict(_switched_off(submission))
    for name, value in {**settings, **submission.conf}.items():
        yield from ("--conf", f"{name}={value}")


def _cluster_settings(submission: Submission) -> Iterator[tuple[str, str]]:
    """In client mode the driver has no pod of its own, and Spark would look for one of this name in vain."""
    yield "spark.kubernetes.container.image", submission.image
    yield "spark.kubernetes.container.image.pullPolicy", submission.image_pull_policy
    if submission.image_pull_secrets:
        yield "spark.kubernetes.container.image.pullSecrets", ",".join(submission.image_pull_secrets)
    yield "spark.kubernetes.namespace", submission.namespace
    yield "spark.kubernetes.authenticate.driver.serviceAccountName", submission.service_account
    if submission.mode == "cluster":
        yield "spark.kubernetes.driver.pod.name", driver_name(submission.name)
    yield "spark.kubernetes.executor.podNamePrefix", submission.name
    yield "spark.kubernetes.file.upload.path", "file:///tmp"
    for name, value in submission.labels.items():
        yield f"spark.kubernetes.driver.label.{name}", value
        yield f"spark.kubernetes.executor.label.{name}", value


def _switched_off(submission: Submission) -> Iterator[tuple[str, str]]:
    if submission.security.wanted:
        for name, settings in _OFF.items():
            if not getattr(submission.security, name):
                yield from ((setting, "false") for setting in settings)
