"""Rules against secrets in what ppml.yaml says of a workload."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import spark_workloads

_SECRET_NAME = re.compile(r"secret|passw|token|access[._-]?key|api[._-]?key|credential", re.IGNORECASE)
"""Spark's own spark.redaction.regex, widened."""

_NAMES_NO_VALUE = re.compile(
    r"^spark\.kubernetes\.(driver|executor)\.secret(s|KeyRef)\.|(file|path|provider|location|class|enabled)$",
    re.IGNORECASE,
)


_ASSIGNED = re.compile(r"([\w.-]+)[=:]([^\s&;,]+)")
"""`-Dname=value`, `--name=value`, and parameters of a URL."""
_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_NO_SECRET = re.compile(r"[0-9.]+|true|false|/.*", re.IGNORECASE)
"""`--max-tokens=512`, and the paths of files."""


def no_secret_is_literal(environment: Environment) -> Iterator[Finding]:
    """ppml.yaml is committed, and settings, variables and arguments can be read in the pod's description."""
    for path, spark in spark_workloads(environment):
        for section, values in (("conf", spark.conf), ("env", spark.env)):
            for name, value in values.items():
                found = name if _is_secret(name) else _secret_in(value) if not _NAMES_NO_VALUE.search(name) else ""
                if found:
                    yield _literal((*path, section, name), found)
        for index, argument in enumerate(spark.arguments):
            before = spark.arguments[index - 1] if index else ""
            follows = before.startswith("-") and "=" not in before and _is_secret(before) and argument[0] != "-"
            found = before if follows and not _NO_SECRET.fullmatch(argument) else _secret_in(argument)
            if found:
                yield _literal((*path, "arguments", index), found)


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _NAMES_NO_VALUE.search(name)


def _secret_in(text: str) -> str:
    """The name of a secret that a text assigns; empty where it does not."""
    for name, value in _ASSIGNED.findall(text):
        if _is_secret(name) and not _NO_SECRET.fullmatch(value):
            return str(name)
    return "a password in a URL" if _IN_URL.search(text) else ""


def _literal(path: KeyPath, name: str) -> Finding:
    return Finding(
        path,
        "literal-secret",
        "a secret stands in ppml.yaml",
        name,
        "ppml.yaml is committed, and whoever may read pods reads it there",
        "keep it in a Kubernetes secret and say `spark.kubernetes.driver.secretKeyRef.NAME: secret:key` in `conf`",
    )
