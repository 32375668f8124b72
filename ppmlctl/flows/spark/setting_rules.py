"""Rules for Spark's settings: none repeats, or undoes, what ppml.yaml has a key for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppmlctl.flows.spark.section import OnSpark, security_of
from ppmlctl.flows.spark.security import fixed_settings
from ppmlctl.flows.spark.submission import Security
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath

_SECURITY = {
    "spark.authenticate": "rpc_auth",
    "spark.network.crypto.enabled": "rpc_encryption",
    "spark.io.encryption.enabled": "io_encryption",
    "spark.ssl.enabled": "tls",
}
_SET_BY_SECURITY = {
    "spark.authenticate.enableSaslEncryption": "rpc_encryption",
    "spark.network.crypto.keyFactoryAlgorithm": "rpc_encryption",
    "spark.network.crypto.keyLength": "rpc_encryption",
    "spark.io.encryption.keySizeBits": "io_encryption",
    "spark.io.encryption.keygen.algorithm": "io_encryption",
    "spark.ssl.keyStore": "tls",
    "spark.ssl.keyStoreType": "tls",
    "spark.ssl.port": "tls",
    "spark.ssl.trustStore": "tls",
    "spark.ssl.trustStoreType": "tls",
}
"""What a protection sets where it is on."""
_ONE_PAGE = re.compile(r"spark\.ssl\.\w+\.enabled")
"""TLS of one of Spark's services, which wins over `spark.ssl.enabled`."""
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
    "spark.kubernetes.container.image.pullSecrets": "cluster.image_pull.secrets",
    "spark.kubernetes.driver.container.image": "images.custom",
    "spark.kubernetes.executor.container.image": "images.custom",
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
        "spark.kubernetes.driver.master",
        "spark.kubernetes.driver.pod.name",
        "spark.kubernetes.driver.podTemplateContainerName",
        "spark.kubernetes.driver.podTemplateFile",
        "spark.kubernetes.executor.deleteOnTermination",
        "spark.kubernetes.executor.podNamePrefix",
        "spark.kubernetes.executor.podTemplateContainerName",
        "spark.kubernetes.executor.podTemplateFile",
        "spark.kubernetes.submission.waitAppCompletion",
        "spark.kubernetes.trust.certificates",
        "spark.master",
    }
)
"""Settings by which a run is found again, begun once, judged by its logs and kept safe."""


def conf_agrees_with_the_rest(environment: Environment, path: KeyPath, spark: OnSpark) -> Iterator[Finding]:
    """`conf` is for what has no key of its own."""
    security = security_of(spark, environment)
    for setting, value in spark.conf.items():
        place = (*path, "conf", setting)
        if setting in _KEPT:
            title, why = "a setting is kept by ppmlctl", "by it a run is found again, begun once, or kept safe"
            yield Finding(place, "conf-kept", title, setting, why, "remove it", at_key=True)
        elif setting in _ELSEWHERE:
            title, fix = "a setting has a key of its own", f"say it with `{_ELSEWHERE[setting]}`"
            yield Finding(place, "conf-has-key", title, setting, fix=fix, at_key=True)
        elif key := _contradicted(setting, value, security):
            title, fix = "a setting contradicts `security`", f"remove it, and say it with `security.{key}`"
            yield Finding(place, "conf-contradicts-security", title, f"{setting}: {value}", fix=fix)


def _contradicted(setting: str, value: str, security: dict[str, bool]) -> str:
    """The protection that a setting says otherwise; empty where it agrees."""
    if setting in _SECURITY:
        key = _SECURITY[setting]
        return "" if value.lower() == str(security[key]).lower() else key
    if value.lower() == dict(fixed_settings(Security(**security))).get(setting, "").lower():
        return ""
    key = "tls" if _ONE_PAGE.fullmatch(setting) and value.lower() != "true" else _SET_BY_SECURITY.get(setting, "")
    return key if key and security[key] else ""
