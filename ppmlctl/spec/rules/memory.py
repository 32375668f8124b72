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
_INITIAL_HEAP = 1 << 30
_WHY_NOT_LESS = (
    "in an enclave the image's entrypoint starts Java with -Xms1G, and Java refuses a heap that may not grow to that "
    "(Initial heap size set to a larger value than the maximum heap size)"
)


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
        started = dict(_started_by_entrypoint(environment, spark))
        for name, process in processes.items() if spark.mode in ("client", "cluster") else [("driver", spark.driver)]:
            heaps = {"memory": process.memory, "jvm_memory": None if name in started else process.jvm_memory}
            for key, heap in heaps.items():
                if heap is not None and heap.bytes < _LEAST_HEAP:
                    title, why = "Spark does not start in so small a heap", "it asks for 450 MiB at least"
                    yield Finding((*path, name, key), "heap-below-spark", title, str(heap), why, "use 512m or more")


def heap_starts_in_enclave(environment: Environment) -> Iterator[Finding]:
    """The images' entrypoint gives driver pods and executors an initial heap, which no maximum may be below.

    Source: upstream `ppml/trusted-bigdata/entrypoint.sh`. A driver that submits is started without it.
    """
    title = "Java does not start with so small a heap in an enclave"
    derived: list[str] = []
    for path, spark in spark_workloads(environment):
        for name, process in _started_by_entrypoint(environment, spark):
            heap = process.jvm_memory
            if heap is None:
                derived.append(f"{environment.workloads[int(path[1])].name}'s {name}")
            elif heap.bytes < _INITIAL_HEAP:
                yield Finding(
                    (*path, name, "jvm_memory"), "heap-below-initial", title, str(heap), _WHY_NOT_LESS, "use 1g or more"
                )
    if derived and environment.images is not None:
        half = Size.of_bytes(environment.images.signed.enclave_size.bytes // 2, "kmg")
        if half.bytes < _INITIAL_HEAP:
            found = f"{environment.images.signed.enclave_size}: half of it, {half}, is the heap of {', '.join(derived)}"
            place = ("images", "custom", "enclave_size") if environment.images.custom else ("images", "catalogue")
            fix = "use 2G or more, or give them a `jvm_memory` of 1g or more"
            yield Finding(place, "heap-below-initial", title, found, _WHY_NOT_LESS, fix)


def _started_by_entrypoint(environment: Environment, spark: Spark) -> Iterator[tuple[str, Process]]:
    """Processes in enclaves that are pods of their own."""
    if environment.cluster.sgx.device_plugin == "none":
        return
    for name, process in _in_enclaves(spark):
        if name == "executor" or spark.mode == "cluster":
            yield name, process


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
