"""What differs between two loaders: headers, segments, bytes that are loaded, or nothing that counts."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from ppmlctl.sgx.elf import Loader, Segment, parse_loader
from ppmlctl.sgx.layout import PAGE

_SECTIONS = struct.Struct("<40xQ12xHHH")
"""e_shoff, and e_shentsize, e_shnum, e_shstrndx: nobody loads sections, but the header is in the first page."""


@dataclass(frozen=True)
class LoaderDifference:
    """One; `measured` tells whether it changes MRENCLAVE."""

    name: str
    before: str
    after: str
    measured: bool = True


def loader_differences(before: bytes, after: bytes) -> Iterator[LoaderDifference]:
    """All differences of two loaders. Raises LoaderError."""
    if before == after:
        return
    one, other = parse_loader(before), parse_loader(after)
    found = list(_differences(one, other))
    yield from found or [LoaderDifference("bytes that are not loaded", _digest(before), _digest(after), measured=False)]


def _differences(one: Loader, other: Loader) -> Iterator[LoaderDifference]:
    if one.entry != other.entry:
        yield LoaderDifference("entry point", f"{one.entry:#x}", f"{other.entry:#x}")
    if _sections(one) != _sections(other):
        loaded = _loads_header(one) or _loads_header(other)
        name = "section headers (strip, objcopy or another linker)"
        yield LoaderDifference(name, _sections(one), _sections(other), loaded)
    if len(one.segments) != len(other.segments):
        yield LoaderDifference("number of PT_LOAD segments", str(len(one.segments)), str(len(other.segments)))
    for number, (before, after) in enumerate(zip(one.segments, other.segments, strict=False)):
        if _shape(before) != _shape(after):
            yield LoaderDifference(f"PT_LOAD segment {number}", _shape(before), _shape(after))
        contents = list(one.file_pages(before)), list(other.file_pages(after))
        changed = [page for page, (a, b) in enumerate(zip_longest(*contents)) if a != b]
        if changed:
            name = f"content of PT_LOAD segment {number}, from {before.start + changed[0] * PAGE:#x} on"
            digests = [_digest(b"".join(pages)) for pages in contents]
            yield LoaderDifference(name, digests[0], digests[1])


def _sections(loader: Loader) -> str:
    offset, size, count, _ = _SECTIONS.unpack_from(loader.content)
    return f"{count} of {size} bytes at {offset:#x}"


def _loads_header(loader: Loader) -> bool:
    return any(segment.offset < _SECTIONS.size and segment.file_size for segment in loader.segments)


def _shape(segment: Segment) -> str:
    pairs = ((segment.readable, "R"), (segment.writable, "W"), (segment.executable, "X"))
    rights = "".join(letter for given, letter in pairs if given)
    return f"{rights} {segment.address:#x}+{segment.memory_size:#x}, {segment.file_size:#x} from {segment.offset:#x}"


def _digest(content: bytes) -> str:
    return f"SHA-256 {hashlib.sha256(content).hexdigest()}"
