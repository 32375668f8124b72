"""Rules for Spark's applications and their security."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.defaults import security_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import spark_workloads
from ppmlctl.spec.spark import Spark


def python_has_a_driver(environment: Environment) -> Iterator[Finding]:
    """The images' entrypoint prepares a Python or R driver's command and never runs it: its pod ends well at once."""
    for path, spark in spark_workloads(environment):
        if spark.mode == "cluster" and spark.application.endswith((".py", ".R")):
            title, why = (
                "an application in Python or R cannot run in cluster mode",
                "the image's entrypoint ends at once with such a driver, successfully, and does nothing",
            )
            fix = "say `mode: client`, or `local` or `local-sgx`"
            yield Finding((*path, "application"), "python-in-cluster-mode", title, spark.application, why, fix)


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
