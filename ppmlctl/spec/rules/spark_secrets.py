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
