"""Rules for memory inside enclaves."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.rules.workloads import kinds_of
from ppmlctl.spec.size import Size
from ppmlctl.spec.traits import Trait, marked

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
    for path, kind in kinds_of(environment):
        for name in kind.enclosed:
            for place, heap in marked(getattr(kind, name), Trait.HEAP, (*path, name)):
                if heap.bytes > enclave_size.bytes // 2:
                    yield _heap(place, heap, enclave_size)


def heap_starts_in_enclave(environment: Environment) -> Iterator[Finding]:
    """The images' entrypoint gives driver pods and executors an initial heap, which no maximum may be below.

    Source: upstream `ppml/trusted-bigdata/entrypoint.sh`. A driver that submits is started without it.
    """
    title = "Java does not start with so small a heap in an enclave"
    derived: list[str] = []
    for path, kind in kinds_of(environment):
        for name in started_by_entrypoint(environment, kind):
            said = list(marked(getattr(kind, name), Trait.HEAP, (*path, name)))
            if not said:
                derived.append(f"{environment.workloads[int(path[1])].name}'s {name}")
            for place, heap in said:
                if heap.bytes < _INITIAL_HEAP:
                    yield Finding(place, "heap-below-initial", title, str(heap), _WHY_NOT_LESS, "use 1g or more")
    if derived and environment.images is not None:
        half = Size.of_bytes(environment.images.signed.enclave_size.bytes // 2, "kmg")
        if half.bytes < _INITIAL_HEAP:
            found = f"{environment.images.signed.enclave_size}: half of it, {half}, is the heap of {', '.join(derived)}"
            place = ("images", "custom", "enclave_size") if environment.images.custom else ("images", "catalogue")
            fix = "use 2G or more, or give them a `jvm_memory` of 1g or more"
            yield Finding(place, "heap-below-initial", title, found, _WHY_NOT_LESS, fix)


def started_by_entrypoint(environment: Environment, kind: Kind) -> tuple[str, ...]:
    """Processes in enclaves that are pods of their own."""
    return () if environment.cluster.sgx.device_plugin == "none" else kind.started_by_entrypoint


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
    for path, pages in marked(environment, Trait.ENCLAVE_PAGES):
        if pages < enclave_size:
            found = f"{pages} for an enclave of {enclave_size}"
            title, fix = "a pod asks for less than its enclave", f"use {enclave_size} or more, or remove the key"
            why = "the scheduler would put it on nodes where it does not fit"
            yield Finding(path, "epc-below-enclave", title, found, why, fix)
