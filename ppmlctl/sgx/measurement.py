"""MRENCLAVE of a Gramine enclave, recomputed from the bytes of `.manifest.sgx` and of the loader.

SHA-256 over the records that ECREATE, EADD and EEXTEND leave, in the order in which Gramine's loader adds the pages.
Source: Intel SDM Vol. 3D "Measurement", ECREATE, EADD, EEXTEND; `python/graminelibos/sgx_sign.py` of Gramine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ppmlctl.sgx.attributes import Attributes
from ppmlctl.sgx.elf import Loader, parse_loader
from ppmlctl.sgx.enclave_memory import EnclaveMemory, lay_out
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.layout import PAGE
from ppmlctl.sgx.manifest import EnclaveSettings, enclave_settings, read_finished_manifest
from ppmlctl.sgx.page_hash import PAGE_R, PAGE_REG, PAGE_TCS, PAGE_W, PAGE_X, PageHash
from ppmlctl.sgx.thread_pages import tcs_page, tls_page


@dataclass(frozen=True)
class Measurement:
    """What the CPU will say of the enclave. `mr_enclave` in hex, sizes in bytes."""

    mr_enclave: str
    attributes: Attributes
    isv_prod_id: int
    isv_svn: int
    enclave_size: int
    threads: int

    @property
    def debug(self) -> bool:
        """Whether the enclave is a debug enclave."""
        return self.attributes.is_debug


def measure(manifest_sgx: bytes, loader: bytes, version: GramineVersion) -> Measurement:
    """Measures exactly the bytes given; memory use does not depend on the enclave's size.

    Time grows with size and threads: about a second for 16 GiB and 1,024 threads.
    Raises ManifestError, LoaderError or MeasurementError where Gramine's tools or EINIT would refuse.
    A size that is no power of two is measured, as the tools do; no CPU takes it (see `findings`).
    """
    settings = enclave_settings(read_finished_manifest(manifest_sgx), version)
    parsed = parse_loader(loader)
    memory = lay_out(settings, len(manifest_sgx), parsed, version)
    return Measurement(
        mr_enclave=_mr_enclave(manifest_sgx, parsed, memory, settings),
        attributes=settings.attributes,
        isv_prod_id=settings.isv_prod_id,
        isv_svn=settings.isv_svn,
        enclave_size=settings.enclave_size,
        threads=settings.threads,
    )


def _mr_enclave(manifest: bytes, loader: Loader, memory: EnclaveMemory, settings: EnclaveSettings) -> str:
    """Adds the areas in Gramine's order, which is not the order of their addresses."""
    layout, threads, base = memory.layout, range(settings.threads), memory.base
    pages = PageHash(settings.enclave_size, layout.ssa_frame_size // PAGE)
    data = PAGE_REG | PAGE_R | PAGE_W
    pages.add(memory.manifest.start - base, PAGE_REG | PAGE_R, _padded(manifest), memory.manifest.size)
    pages.add(memory.ssa.start - base, data, (), memory.ssa.size)
    pages.add(memory.tcs.start - base, PAGE_TCS, (tcs_page(memory, loader.entry, t) for t in threads), memory.tcs.size)
    pages.add(memory.tls.start - base, data, (tls_page(memory, t) for t in threads), memory.tls.size)
    for stacks, size in ((memory.stacks, layout.stack_size), (memory.signal_stacks, layout.signal_stack_size)):
        for thread in threads:
            pages.add(stacks.end - (thread + 1) * size - base, data, (), size)
    _add_loader(pages, loader, memory)
    for free in memory.free:
        pages.add_unmeasured(free.start - base, PAGE_REG | PAGE_R | PAGE_W | PAGE_X, free.size)
    return pages.hexdigest()


def _padded(manifest: bytes) -> Iterator[bytes]:
    content = manifest + b"\0"
    for start in range(0, len(content), PAGE):
        yield content[start : start + PAGE].ljust(PAGE, b"\0")


def _add_loader(pages: PageHash, loader: Loader, memory: EnclaveMemory) -> None:
    shift = memory.loader.start - loader.image[0] - memory.base
    for segment in loader.segments:
        allowed = PAGE_R * segment.readable | PAGE_W * segment.writable | PAGE_X * segment.executable
        size = segment.end - segment.start
        pages.add(segment.start + shift, PAGE_REG | allowed, loader.file_pages(segment), size)
