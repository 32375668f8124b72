"""The loader (`libpal.so`) as Gramine puts it into an enclave: its PT_LOAD segments, page by page.

Stricter than a general ELF reader: whatever a loader could not be loaded from is an error. Source: ELF-64 object file
format; `get_loadcmds`, `MemoryArea` and `load_file` in Gramine's `python/graminelibos/sgx_sign.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ppmlctl.sgx.errors import LoaderError
from ppmlctl.sgx.layout import PAGE

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_IDENT_ELF64_LITTLE = b"\x7fELF\x02\x01\x01"
_EM_X86_64 = 62
_PT_LOAD = 1
_PF_X, _PF_W, _PF_R = 1, 2, 4
_ADDRESS_LIMIT = 1 << 47


def round_down(address: int) -> int:
    """The start of the page that holds `address`."""
    return address - address % PAGE


def round_up(address: int) -> int:
    """The first page border at or above `address`."""
    return round_down(address + PAGE - 1)


@dataclass(frozen=True)
class Segment:
    """One PT_LOAD; numbers in bytes."""

    offset: int
    address: int
    file_size: int
    memory_size: int
    readable: bool
    writable: bool
    executable: bool

    @property
    def start(self) -> int:
        return round_down(self.address)

    @property
    def end(self) -> int:
        return round_up(self.address + self.memory_size)


@dataclass(frozen=True)
class Loader:
    """A loader's file with what of it goes into memory. `image` is the lowest and the highest page border."""

    content: bytes
    entry: int
    segments: tuple[Segment, ...]

    @property
    def image(self) -> tuple[int, int]:
        return min(s.start for s in self.segments), max(s.end for s in self.segments)

    def file_pages(self, segment: Segment) -> Iterator[bytes]:
        """The pages of `segment` that hold bytes of the file; those after them are zeros.

        A page shows the file at the segment's rounded offset and nothing of its neighbours, even where offset and
        address differ modulo the page: then the content sits where the offset says.
        """
        first, last = round_down(segment.offset), segment.offset + segment.file_size
        length = min(round_up(last) - first, segment.end - segment.start) if segment.file_size else 0
        for start in range(first, first + length, PAGE):
            low, high = max(start, segment.offset), min(start + PAGE, last)
            yield (bytes(low - start) + self.content[low:high]).ljust(PAGE, b"\0")


def parse_loader(content: bytes) -> Loader:
    """Reads the loader. Raises LoaderError for what is no x86-64 ELF file with segments inside the file."""
    if len(content) < _HEADER.size:
        raise LoaderError("the loader is shorter than an ELF header")
    ident, _, machine, _, entry, table, _, _, _, entry_size, count, _, _, _ = _HEADER.unpack_from(content)
    if not ident.startswith(_IDENT_ELF64_LITTLE) or machine != _EM_X86_64:
        raise LoaderError("the loader is no 64-bit little-endian ELF file for x86-64")
    if entry_size != _PROGRAM_HEADER.size or table + count * entry_size > len(content):
        raise LoaderError("the program headers of the loader lie outside of the file")
    if entry >= _ADDRESS_LIMIT:
        raise LoaderError("the entry point of the loader is no user-space address")
    headers = (_PROGRAM_HEADER.unpack_from(content, table + n * entry_size) for n in range(count))
    segments = tuple(_segment(header, len(content)) for header in headers if header[0] == _PT_LOAD)
    if not segments:
        raise LoaderError("the loader has no PT_LOAD segment")
    _refuse_overlap(segments)
    return Loader(content, entry, segments)


def _refuse_overlap(segments: tuple[Segment, ...]) -> None:
    """Bytes that two segments claim: the signing tool measures both, but which of them is loaded nobody can say.

    Two segments that merely share a page are what linkers make, and are measured twice, as the tool does.
    """
    taken = sorted((s.address, s.address + s.memory_size) for s in segments if s.memory_size)
    for (_, end), (start, _) in pairwise(taken):
        if start < end:
            raise LoaderError(f"two PT_LOAD segments of the loader overlap at {start:#x}")


def _segment(header: tuple[int, ...], length: int) -> Segment:
    _, flags, offset, address, _, file_size, memory_size, _ = header
    if offset + file_size > length:
        raise LoaderError("a PT_LOAD segment of the loader lies beyond the end of the file")
    if file_size > memory_size:
        raise LoaderError("a PT_LOAD segment of the loader is larger in the file than in memory")
    if address + memory_size >= _ADDRESS_LIMIT:
        raise LoaderError("a PT_LOAD segment of the loader lies outside of user-space addresses")
    return Segment(
        offset, address, file_size, memory_size, bool(flags & _PF_R), bool(flags & _PF_W), bool(flags & _PF_X)
    )
