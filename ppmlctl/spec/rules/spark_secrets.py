"""Rules against secrets in ppml.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import spark_workloads
from ppmlctl.spec.secret_words import named_secret, secret_in, secret_of, secrets_of
from ppmlctl.spec.spark import Spark

_IN_PODS = "ppml.yaml is committed, and whoever may read pods reads it there"
_TO_PODS = "keep it in a Kubernetes secret and say `spark.kubernetes.driver.secretKeyRef.NAME: secret:key` in `conf`"
_IN_IMAGES = "ppml.yaml is committed, and build arguments stay in the image's history"
_COMMITTED = "ppml.yaml is committed"


def no_secret_is_literal(environment: Environment) -> Iterator[Finding]:
    """ppml.yaml is committed, and settings, variables and arguments can be read in the pod's description."""
    for path, found, why, fix in _found(environment):
        if found not in environment.not_secrets and str(path[-1]) not in environment.not_secrets:
            ways = f"{fix}; or name it in `not_secrets`, where it is none"
            yield Finding(path, "literal-secret", "a secret stands in ppml.yaml", found, why, ways)
    for index, name in enumerate(environment.not_secrets):
        title, why = "what looks like a secret is none, as ppml.yaml says", "it is neither masked nor refused"
        fix = "take it out of `not_secrets` where it is one"
        yield warning(("not_secrets", index), "literal-allowed", title, found=name, why=why, fix=fix)


def _found(environment: Environment) -> Iterator[tuple[KeyPath, str, str, str]]:
    for path, spark in spark_workloads(environment):
        for place, found in _in_workload(path, spark):
            yield place, found, _IN_PODS, _TO_PODS
    base = environment.images.base if environment.images else None
    if base and base.build:
        for place, found in secrets_of(base.build.args, ("images", "base", "build", "args")):
            yield place, found, _IN_IMAGES, "give it to the build by other means than arguments"
    for place, found in secrets_of(environment.vars, ("vars",)):
        yield place, found, _COMMITTED, "keep it in the vault, by a vault_secret task"


def _in_workload(path: KeyPath, spark: Spark) -> Iterator[tuple[KeyPath, str]]:
    for section, values in (("conf", spark.conf), ("env", spark.env)):
        for name, value in values.items():
            if found := secret_of(name, value):
                yield (*path, section, name), found
    for index, argument in enumerate(spark.arguments):
        before = spark.arguments[index - 1] if index else ""
        is_option = before.startswith("-") and "=" not in before
        follows = is_option and named_secret(before, argument) and argument[0] not in "-/" and not argument.isdecimal()
        if found := before if follows else secret_in(argument):
            yield (*path, "arguments", index), found
