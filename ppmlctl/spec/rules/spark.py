"""Rules for Spark's settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppmlctl.spec.defaults import security_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import spark_workloads
from ppmlctl.spec.spark import Spark

_SECURITY = {
    "spark.authenticate": "rpc_auth",
    "spark.network.crypto.enabled": "rpc_encryption",
    "spark.io.encryption.enabled": "io_encryption",
    "spark.ssl.enabled": "tls",
}
_ELSEWHERE = {
    "spark.driver.memory": "driver.memory",
    "spark.driver.cores": "driver.cores",
    "spark.executor.memory": "executor.memory",
    "spark.executor.cores": "executor.cores",
    "spark.executor.instances": "executor.instances",
    "spark.submit.deployMode": "mode",
    "spark.jars": "jars",
    "spark.kubernetes.sgx.enabled": "mode",
    "spark.kubernetes.sgx.driver.jvm.mem": "driver.jvm_memory",
    "spark.kubernetes.sgx.executor.jvm.mem": "executor.jvm_memory",
    "spark.kubernetes.namespace": "cluster.namespace",
    "spark.kubernetes.container.image": "images.custom",
    "spark.kubernetes.container.image.pullPolicy": "cluster.image_pull.policy",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "cluster.service_account",
    "spark.driver.host": "client.address",
    "spark.driver.port": "client.driver_port",
}
_KEPT = frozenset(
    {
        "spark.app.name",
        "spark.authenticate.secret.file",
        "spark.authenticate.secret.driver.file",
        "spark.authenticate.secret.executor.file",
        "spark.kubernetes.authenticate.executor.serviceAccountName",
        "spark.kubernetes.driver.pod.name",
        "spark.kubernetes.driver.podTemplateFile",
        "spark.kubernetes.executor.podNamePrefix",
        "spark.kubernetes.executor.podTemplateFile",
        "spark.kubernetes.submission.waitAppCompletion",
        "spark.master",
    }
)
"""Settings by which a run is found again, begun once and kept safe."""
_SECRET_NAME = re.compile(r"secret|passw|token|access[._-]?key|api[._-]?key|credential", re.IGNORECASE)
"""Spark's own spark.redaction.regex, widened."""

_NAMES_NO_VALUE = re.compile(
    r"^spark\.kubernetes\.(driver|executor)\.secret(s|KeyRef)\.|(file|path|provider|location|class|enabled)$",
    re.IGNORECASE,
)


def conf_agrees_with_the_rest(environment: Environment) -> Iterator[Finding]:
    """`conf` is for what has no key of its own."""
    for path, spark in spark_workloads(environment):
        security = security_of(spark, environment)
        for setting, value in spark.conf.items():
            place = (*path, "conf", setting)
            if setting in _KEPT:
                title, why = "a setting is kept by ppmlctl", "by it a run is found again, begun once, or kept safe"
                yield Finding(place, "conf-kept", title, setting, why, "remove it", at_key=True)
            elif setting in _ELSEWHERE:
                title, fix = "a setting has a key of its own", f"say it with `{_ELSEWHERE[setting]}`"
                yield Finding(place, "conf-has-key", title, setting, fix=fix, at_key=True)
            elif setting in _SECURITY and value.lower() != str(security[_SECURITY[setting]]).lower():
                yield _contradiction(place, setting, value, _SECURITY[setting])


def _contradiction(path: KeyPath, setting: str, value: str, key: str) -> Finding:
    title = "a setting contradicts `security`"
    fix = f"remove it, and say it with `security.{key}`"
    return Finding(path, "conf-contradicts-security", title, f"{setting}: {value}", fix=fix)


def python_has_a_driver(environment: Environment) -> Iterator[Finding]:
    """The images' entrypoint prepares a Python driver's command and never runs it: its pod ends well at once."""
    for path, spark in spark_workloads(environment):
        if spark.mode == "cluster" and spark.application.endswith(".py"):
            title, why = (
                "a Python application cannot run in cluster mode",
                "the image's entrypoint ends at once with a Python driver, successfully, and does nothing",
            )
            fix = "say `mode: client`, or `local` or `local-sgx`"
            yield Finding((*path, "application"), "python-in-cluster-mode", title, spark.application, why, fix)


def no_secret_is_literal(environment: Environment) -> Iterator[Finding]:
    """ppml.yaml is committed, and both `conf` and `env` can be read in the pod's description."""
    for path, spark in spark_workloads(environment):
        for section, names in (("conf", spark.conf), ("env", spark.env)):
            for name in names:
                if _SECRET_NAME.search(name) and not _NAMES_NO_VALUE.search(name):
                    yield _literal((*path, section, name), name)


def _literal(path: KeyPath, name: str) -> Finding:
    return Finding(
        path,
        "literal-secret",
        "a secret stands in ppml.yaml",
        name,
        "ppml.yaml is committed, and whoever may read pods reads it there",
        "keep it in a Kubernetes secret and say `spark.kubernetes.driver.secretKeyRef.NAME: secret:key` in `conf`",
    )


def security_is_complete(environment: Environment) -> Iterator[Finding]:
    """Spark's security needs a password and keystores, and encryption of connections needs their authentication."""
    for path, spark in spark_workloads(environment):
        on = security_of(spark, environment)
        asked = [name for name in on if getattr(spark.security, name)]
        if asked and environment.keys is None:
            title, fix = "Spark's security needs keys", "add `keys: {}`, or remove the key"
            yield Finding((*path, "security", asked[0]), "security-needs-keys", title, "no `keys`", fix=fix)
        elif on["rpc_encryption"] and not on["rpc_auth"]:
            yield _encryption_without_authentication(path, spark)


def _encryption_without_authentication(path: KeyPath, spark: Spark) -> Finding:
    key = "rpc_encryption" if spark.security.rpc_encryption else "rpc_auth"
    title, fix = "encryption of connections needs their authentication", "set both to true or both to false"
    found = "rpc_encryption is on, rpc_auth is off"
    return Finding((*path, "security", key), "encryption-needs-authentication", title, found, fix=fix)
