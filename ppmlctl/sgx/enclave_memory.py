"""Where Gramine puts what into an enclave: areas stacked from its top downwards, the heap below them.

Source: `get_memory_areas` and `populate_memory_areas` in Gramine's `python/graminelibos/sgx_sign.py`, the same layout
as in `pal/src/host/linux-sgx/host_main.c`. Addresses are absolute; records in the measurement are relative to `base`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.sgx.elf import Loader, round_up
from ppmlctl.sgx.errors import MeasurementError
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.layout import PAGE, Layout
from ppmlctl.sgx.manifest import EnclaveSettings

_RECORDS_PER_PAGE = 81
"""What measuring a page adds to the hash: EADD, 16 EEXTENDs and the page itself, in records of 64 bytes."""

_MOST_RECORDS = 1 << 31
"""So 8 TiB that are only added, or 26 million measured pages: more than any machine's EPC. A made-up size must not
take days; this many takes a minute or two."""


@dataclass(frozen=True)
class Area:
    """Addresses from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class EnclaveMemory:
    """All areas of one enclave. Thread 0 has the lowest SSA, TCS and TLS, but the highest stacks."""

    layout: Layout
    enclave_size: int
    base: int
    heap: Area
    manifest: Area
    manifest_size: int
    """Bytes of the manifest with the NUL behind it."""
    ssa: Area
    tcs: Area
    tls: Area
    stacks: Area
    signal_stacks: Area
    loader: Area
    free: tuple[Area, ...]
    """What is added without being measured, in the order of adding: nothing with EDMM."""

    @property
    def ssa_size(self) -> int:
        """Bytes of all SSA frames of one thread."""
        return self.layout.ssa_frame_size * self.layout.ssa_frames


def lay_out(settings: EnclaveSettings, manifest_length: int, loader: Loader, version: GramineVersion) -> EnclaveMemory:
    """Places every area. Raises MeasurementError if they do not fit into the enclave."""
    layout, threads = version.layout, settings.threads
    base = layout.enclave_base if settings.nonpie else settings.enclave_size
    lowest = layout.lowest_address if settings.nonpie else base
    sizes = (
        round_up(manifest_length + 1),
        threads * layout.ssa_frame_size * layout.ssa_frames,
        threads * layout.tcs_size,
        threads * layout.page_size,
        threads * layout.stack_size,
        threads * layout.signal_stack_size,
    )
    manifest, ssa, tcs, tls, stacks, signal_stacks = areas = _stack_down(base + settings.enclave_size, sizes)
    image = _place_loader(loader, areas[-1].start)
    if min(image.start, areas[-1].start) < lowest:
        raise MeasurementError(_too_small(settings))
    free = () if settings.edmm else _free(lowest, image, areas[-1].start)
    _refuse_endless(loader, base + settings.enclave_size - areas[-1].start, sum(area.size for area in free))
    return EnclaveMemory(
        layout=layout,
        enclave_size=settings.enclave_size,
        base=base,
        heap=Area(lowest, image.start),
        manifest=manifest,
        manifest_size=manifest_length + 1,
        ssa=ssa,
        tcs=tcs,
        tls=tls,
        stacks=stacks,
        signal_stacks=signal_stacks,
        loader=image,
        free=free,
    )


def _stack_down(top: int, sizes: tuple[int, ...]) -> list[Area]:
    areas = []
    for size in sizes:
        areas.append(Area(top - size, top))
        top -= size
    return areas


def _place_loader(loader: Loader, below: int) -> Area:
    """Directly below the stacks, or where it is linked to if that is not page 0."""
    low, high = loader.image
    if low == 0:
        return Area(below - high, below)
    if high > below:
        raise MeasurementError(f"the loader is linked to {low:#x} and reaches into the stacks of the enclave")
    return Area(low, high)


def _free(lowest: int, image: Area, stacks: int) -> tuple[Area, ...]:
    above, below = Area(image.end, stacks), Area(lowest, image.start)
    return tuple(area for area in (above, below) if area.size)


def _refuse_endless(loader: Loader, measured: int, free: int) -> None:
    measured += sum(segment.end - segment.start for segment in loader.segments)
    records = (measured * _RECORDS_PER_PAGE + free) // PAGE
    if records > _MOST_RECORDS:
        raise MeasurementError(f"the enclave would be larger than any machine's memory: {records} records to hash")


def _too_small(settings: EnclaveSettings) -> str:
    return (
        f"an enclave of {settings.enclave_size} bytes is not large enough for {settings.threads} threads and the loader"
    )
