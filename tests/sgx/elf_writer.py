"""Writes small ELF files: stand-ins for Gramine's loader, for tests and for the base of the quickstart.

Run as a program it writes the loader of the quickstart to the path given.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = 0x1000
READ, WRITE, EXECUTE = 4, 2, 1

_HEADER_SIZE, _PROGRAM_HEADER_SIZE = 64, 56
_ENTRY = 0xE00


@dataclass(frozen=True)
class WrittenSegment:
    """One PT_LOAD: `content` stands in the file at `offset`, in memory at `address`, followed by zeros."""

    offset: int
    address: int
    content: bytes
    memory_size: int
    flags: int


def write_elf(segments: Sequence[WrittenSegment], entry: int) -> bytes:
    """A shared object for x86-64 without sections. The headers go over whatever a segment has at the file's start."""
    headers = _headers(segments, entry)
    file = bytearray(max([len(headers), *(s.offset + len(s.content) for s in segments)]))
    for s in segments:
        file[s.offset : s.offset + len(s.content)] = s.content
    file[: len(headers)] = headers
    return bytes(file)


def _headers(segments: Sequence[WrittenSegment], entry: int) -> bytes:
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    numbers = (3, 62, 1, entry, _HEADER_SIZE, 0, 0, _HEADER_SIZE, _PROGRAM_HEADER_SIZE, len(segments), 0, 0, 0)
    headers = struct.pack("<16sHHIQQQIHHHHHH", ident, *numbers)
    for s in segments:
        places = (s.offset, s.address, s.address, len(s.content), s.memory_size, PAGE)
        headers += struct.pack("<IIQQQQQQ", 1, s.flags, *places)
    return headers


def quickstart_loader() -> bytes:
    """Two segments, as the real loader has: one with headers and code, one with data and zeros behind it.

    The code is a single `ret`; nothing ever runs it.
    """
    code = b"\xc3".ljust(64, b"\xcc") + b"Stand-in for Gramine's loader: it is measured, never run.\0"
    data = b"".join(struct.pack("<Q", number * number) for number in range(64))
    text = WrittenSegment(0, 0, bytes(_ENTRY) + code, _ENTRY + len(code), READ | EXECUTE)
    return write_elf([text, WrittenSegment(PAGE, 2 * PAGE, data, 3 * PAGE, READ | WRITE)], _ENTRY)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(quickstart_loader())
