"""The running hash of an enclave being built: one 64-byte record per EADD and EEXTEND, and the measured bytes.

SHA-256 is one chain, so what can be saved is the interpreter's work: the records of many pages differ only in their
offset words, so a block of pages is kept and only those words are rewritten, many at a time.
Source: Intel SDM Vol. 3D, ECREATE, EADD and EEXTEND ("UPDATE of MRENCLAVE"). Needs a little-endian machine for speed,
and turns the words round on any other.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from collections.abc import Iterable
from itertools import islice

from ppmlctl.sgx.layout import PAGE

PAGE_R, PAGE_W, PAGE_X = 0x1, 0x2, 0x4
PAGE_TCS, PAGE_REG = 0x100, 0x200
"""SECINFO.FLAGS: permissions and page type."""

_CHUNK = 256
_RECORD = 64
_WORD = 8
_BLOCK_PAGES = 128
_FREE_BLOCK_PAGES = 4096

_EADD = b"EADD".ljust(_RECORD, b"\0")
_EEXTEND = b"EEXTEND".ljust(_RECORD, b"\0")
_ZERO_PAGE = _EADD + (_EEXTEND + bytes(_CHUNK)) * (PAGE // _CHUNK)
"""What one page of zeros adds to the hash, with offsets and flags still zero."""

_PAGE_WORDS = len(_ZERO_PAGE) // _WORD
_CHUNK_WORDS = (_RECORD + _CHUNK) // _WORD
_RECORD_WORDS = _RECORD // _WORD


class PageHash:
    """MRENCLAVE while pages are added. Offsets and sizes in bytes, multiples of the page."""

    def __init__(self, enclave_size: int, ssa_frame_pages: int) -> None:
        self._sha256 = hashlib.sha256(struct.pack("<8sLQ44x", b"ECREATE", ssa_frame_pages, enclave_size))
        self._zeros = _words(_ZERO_PAGE * _BLOCK_PAGES)
        self._mixed = _words(_ZERO_PAGE * _BLOCK_PAGES)

    def add(self, offset: int, flags: int, content: Iterable[bytes], size: int) -> None:
        """Adds and measures `size` bytes of pages: first those of `content`, each one page long, then zeros."""
        pages, end = iter(content), offset + size
        while batch := list(islice(pages, _BLOCK_PAGES)):
            _stamp(self._mixed, offset, flags, len(batch))
            for number, page in enumerate(batch):
                _fill(self._mixed, number, page)
            self._update(self._mixed, len(batch) * _PAGE_WORDS)
            offset += len(batch) * PAGE
        for start in range(offset, end, _BLOCK_PAGES * PAGE):
            count = min(_BLOCK_PAGES, (end - start) // PAGE)
            _stamp(self._zeros, start, flags, count)
            self._update(self._zeros, count * _PAGE_WORDS)

    def add_unmeasured(self, offset: int, flags: int, size: int) -> None:
        """Adds `size` bytes of pages whose content is not measured."""
        block = _words(_EADD * _FREE_BLOCK_PAGES)
        block[2::_RECORD_WORDS] = array("Q", [flags]) * _FREE_BLOCK_PAGES
        end = offset + size
        for start in range(offset, end, _FREE_BLOCK_PAGES * PAGE):
            count = min(_FREE_BLOCK_PAGES, (end - start) // PAGE)
            block[1 : count * _RECORD_WORDS : _RECORD_WORDS] = array("Q", range(start, start + count * PAGE, PAGE))
            self._update(block, count * _RECORD_WORDS)

    def hexdigest(self) -> str:
        """MRENCLAVE of what was added so far."""
        return self._sha256.hexdigest()

    def _update(self, block: array[int], words: int) -> None:
        part = memoryview(block)[:words]
        if sys.byteorder == "big":
            turned = array("Q", part)
            turned.byteswap()
            part = memoryview(turned)
        self._sha256.update(part)


def _words(content: bytes) -> array[int]:
    words = array("Q", content)
    if sys.byteorder == "big":
        words.byteswap()
    return words


def _stamp(block: array[int], offset: int, flags: int, pages: int) -> None:
    """Writes the offsets and flags of `pages` pages from `offset` on into the records of a block."""
    words, span = pages * _PAGE_WORDS, pages * PAGE
    block[1:words:_PAGE_WORDS] = array("Q", range(offset, offset + span, PAGE))
    block[2:words:_PAGE_WORDS] = array("Q", [flags]) * pages
    for chunk in range(PAGE // _CHUNK):
        first = offset + chunk * _CHUNK
        place = _RECORD_WORDS + chunk * _CHUNK_WORDS + 1
        block[place:words:_PAGE_WORDS] = array("Q", range(first, first + span, PAGE))


def _fill(block: array[int], number: int, page: bytes) -> None:
    """Writes the content of one page behind its EEXTEND records."""
    content = _words(page)
    place = number * _PAGE_WORDS + 2 * _RECORD_WORDS
    for start in range(0, len(content), _CHUNK // _WORD):
        block[place : place + _CHUNK // _WORD] = content[start : start + _CHUNK // _WORD]
        place += _CHUNK_WORDS
