"""Rules for memory inside enclaves."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import spark_workloads
from ppmlctl.spec.size import Size
from ppmlctl.spec.spark import Process, Spark

_LEAST_HEAP = 450 << 20


def heap_fits_enclave(environment: Environment) -> Iterator[Finding]:
    """The JVM needs memory beside its heap, and so do Gramine and the loader: half is the guide's recommendation."""
    if environment.images is None:
        return
    enclave_size = environment.images.signed.enclave_size
    for path, spark in spark_workloads(environment):
        for name, process in _in_enclaves(spark):
            heap = process.jvm_memory
            if heap is not None and heap.bytes > enclave_size.bytes // 2:
                yield _heap((*path, name, "jvm_memory"), heap, enclave_size)


def heap_holds_spark(environment: Environment) -> Iterator[Finding]:
    """Spark keeps 300 MiB for itself, and starts in one and a half times that at least (UnifiedMemoryManager)."""
    for path, spark in spark_workloads(environment):
        processes = {"driver": spark.driver, "executor": spark.executor}
        for name, process in processes.items() if spark.mode in ("client", "cluster") else [("driver", spark.driver)]:
            for key, heap in (("memory", process.memory), ("jvm_memory", process.jvm_memory)):
                if heap is not None and heap.bytes < _LEAST_HEAP:
                    title, why = "Spark does not start in so small a heap", "it asks for 450 MiB at least"
                    yield Finding((*path, name, key), "heap-below-spark", title, str(heap), why, "use 512m or more")


def _in_enclaves(spark: Spark) -> Iterator[tuple[str, Process]]:
    if spark.tee == "tdx":
        return
    if spark.mode != "local":
        yield "driver", spark.driver
    if spark.mode in ("client", "cluster"):
        yield "executor", spark.executor


def _heap(path: KeyPath, heap: Size, enclave_size: Size) -> Finding:
    found, half = f"{heap} in an enclave of {enclave_size}", Size.of_bytes(enclave_size.bytes // 2, "kmg")
    if heap > enclave_size:
        title, why = "the JVM's heap is larger than its enclave", "the JVM cannot start"
        return Finding(path, "heap-exceeds-enclave", title, found, why, f"use at most {half}")
    why = "the JVM's own memory and Gramine need about as much again"
    title = "the JVM's heap takes more than half of its enclave"
    return warning(path, "heap-above-half", title, found=found, why=why, fix=f"use at most {half}")


def requested_epc_holds_enclave(environment: Environment) -> Iterator[Finding]:
    """A pod that asks for less than its enclave is put on nodes where it does not fit."""
    if environment.images is None:
        return
    enclave_size = environment.images.signed.enclave_size
    for path, spark in spark_workloads(environment):
        if spark.epc_request is not None and spark.epc_request < enclave_size:
            found = f"{spark.epc_request} for an enclave of {enclave_size}"
            title, fix = "a pod asks for less than its enclave", f"use {enclave_size} or more, or remove the key"
            why = "the scheduler would put it on nodes where it does not fit"
            yield Finding((*path, "epc_request"), "epc-below-enclave", title, found, why, fix)
