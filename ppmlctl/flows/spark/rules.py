"""Rules for Spark's applications and their security."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.flows.spark.section import OnSpark, Spark, security_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.memory import started_by_entrypoint
from ppmlctl.spec.traits import Trait, marked

_LEAST_HEAP = 450 << 20


def python_has_a_driver(_environment: Environment, path: KeyPath, spark: Spark) -> Iterator[Finding]:
    """The images' entrypoint prepares a Python or R driver's command and never runs it: its pod ends well at once."""
    if spark.mode == "cluster" and spark.application.endswith((".py", ".R")):
        title, why = (
            "an application in Python or R cannot run in cluster mode",
            "the image's entrypoint ends at once with such a driver, successfully, and does nothing",
        )
        fix = "say `mode: client`, or `local` or `local-sgx`"
        yield Finding((*path, "application"), "python-in-cluster-mode", title, spark.application, why, fix)


def domain_runs_in_pods(_environment: Environment, path: KeyPath, spark: Spark) -> Iterator[Finding]:
    """A submission's own pod is not known to run in a domain; driver and executors of cluster mode are."""
    if spark.tee == "tdx" and spark.mode != "cluster":
        title, why = "a domain's workload needs mode cluster", "only driver and executor pods are put on its nodes"
        yield Finding((*path, "mode"), "tdx-needs-cluster-mode", title, spark.mode, why, "say `mode: cluster`")


def client_has_an_enclave(environment: Environment, path: KeyPath, spark: Spark) -> Iterator[Finding]:
    """In mode local-sgx there is nothing outside of the enclave."""
    if spark.mode == "local-sgx" and environment.cluster.sgx.device_plugin == "none":
        title, fix = "mode local-sgx needs SGX devices", "say `device_plugin: intel` or `host`, or `mode: local`"
        why = "`cluster.sgx.device_plugin: none` gives pods no SGX device"
        yield Finding((*path, "mode"), "enclave-needs-devices", title, "local-sgx", why, fix)


def executors_reach_the_client(environment: Environment, path: KeyPath, spark: Spark) -> Iterator[Finding]:
    """In client mode pods connect to whatever submits."""
    client = environment.client
    if client.via == "container" and spark.mode == "client" and client.address is None:
        title, why = (
            "client mode needs the client's address",
            "executors connect to the driver, which runs in a container of this machine",
        )
        fix = "add `client: {address: …}` with an address that pods reach, or say `via: job`"
        yield Finding((*path, "mode"), "client-needs-address", title, "no `client.address`", why, fix)


def heap_holds_spark(environment: Environment, path: KeyPath, spark: OnSpark) -> Iterator[Finding]:
    """Spark keeps 300 MiB for itself, and starts in one and a half times that at least (UnifiedMemoryManager)."""
    started = started_by_entrypoint(environment, spark)
    for name in spark.processes:
        for trait in (Trait.MEMORY, *(() if name in started else (Trait.HEAP,))):
            for place, heap in marked(getattr(spark, name), trait, (*path, name)):
                if heap.bytes < _LEAST_HEAP:
                    title, why = "Spark does not start in so small a heap", "it asks for 450 MiB at least"
                    yield Finding(place, "heap-below-spark", title, str(heap), why, "use 512m or more")


def security_is_complete(environment: Environment, path: KeyPath, spark: OnSpark) -> Iterator[Finding]:
    """Spark's security needs a password and keystores, and encryption of connections needs their authentication."""
    on = security_of(spark, environment)
    asked = [name for name in on if getattr(spark.security, name)]
    if asked and environment.keys is None:
        title, fix = "Spark's security needs keys", "add `keys: {}`, or remove the key"
        yield Finding((*path, "security", asked[0]), "security-needs-keys", title, "no `keys`", fix=fix)
    elif on["rpc_encryption"] and not on["rpc_auth"]:
        yield _encryption_without_authentication(path, spark)


def security_is_on(_environment: Environment, path: KeyPath, spark: OnSpark) -> Iterator[Finding]:
    """What is off is said in every plan."""
    for key, value in spark.security:
        if value is False:
            title, fix = "a part of Spark's security is off", "remove the key"
            yield warning((*path, "security", key), "insecure-spark", title, found=f"{key}: false", fix=fix)


def _encryption_without_authentication(path: KeyPath, spark: OnSpark) -> Finding:
    key = "rpc_encryption" if spark.security.rpc_encryption else "rpc_auth"
    title, fix = "encryption of connections needs their authentication", "set both to true or both to false"
    found = "rpc_encryption is on, rpc_auth is off"
    return Finding((*path, "security", key), "encryption-needs-authentication", title, found, fix=fix)
