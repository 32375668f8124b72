from __future__ import annotations

import struct

import pytest
from elf_writer import EXECUTE, PAGE, READ, WRITE, WrittenSegment, write_elf
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import LoaderError
from ppmlctl.sgx.elf import parse_loader


def _segment(*, offset: int = 0, address: int = 0, content: bytes = b"x" * 200, memory_size: int = 0) -> WrittenSegment:
    return WrittenSegment(offset, address, content, memory_size or len(content), READ)


def _pages(*segments: WrittenSegment, number: int = 0) -> list[bytes]:
    loader = parse_loader(write_elf(segments, entry=0))
    return list(loader.file_pages(loader.segments[number]))


def test_segments_keep_their_order_and_permissions() -> None:
    first = WrittenSegment(PAGE, 4 * PAGE, b"data", 4, READ | WRITE)
    loader = parse_loader(write_elf([first, WrittenSegment(0, 0, bytes(200), 200, READ | EXECUTE)], entry=64))

    assert loader.entry == 64
    assert [s.address for s in loader.segments] == [4 * PAGE, 0]
    assert [(s.readable, s.writable, s.executable) for s in loader.segments] == [
        (True, True, False),
        (True, False, True),
    ]
    assert loader.image == (0, 5 * PAGE)


def test_a_page_shows_nothing_of_the_neighbours_in_the_file() -> None:
    neighbours = _segment(content=b"n" * 3 * PAGE)
    middle = _segment(offset=PAGE + 16, address=0x10010, content=b"middle")

    assert _pages(neighbours, middle, number=1) == [bytes(16) + b"middle" + bytes(PAGE - 22)]


def test_content_sits_where_the_offset_says_if_offset_and_address_differ_within_the_page() -> None:
    assert _pages(_segment(offset=PAGE + 256, address=0x10000, content=b"content")) == [
        bytes(256) + b"content" + bytes(PAGE - 263)
    ]


def test_bytes_behind_the_file_part_are_zeros_and_no_pages_of_the_file() -> None:
    assert _pages(_segment(offset=PAGE, content=b"y", memory_size=5 * PAGE)) == [b"y".ljust(PAGE, b"\0")]


def test_a_segment_without_memory_has_a_page_only_at_an_unaligned_address() -> None:
    at_border, within = _segment(address=PAGE, content=b""), _segment(address=PAGE + 1, content=b"")
    loader = parse_loader(write_elf([at_border, within], entry=0))

    assert [s.end - s.start for s in loader.segments] == [0, PAGE]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, b"\x7fELG", "the loader is no 64-bit little-endian ELF file for x86-64"),
        (4, b"\x01", "the loader is no 64-bit little-endian ELF file for x86-64"),
        (18, b"\xb7", "the loader is no 64-bit little-endian ELF file for x86-64"),
        (24, b"\xff" * 8, "the entry point of the loader is no user-space address"),
        (32, b"\xff" * 8, "the program headers of the loader lie outside of the file"),
        (54, b"\x20", "the program headers of the loader lie outside of the file"),
        (64, b"\x06", "the loader has no PT_LOAD segment"),
        (72, b"\xff", "a PT_LOAD segment of the loader lies beyond the end of the file"),
        (80, b"\xff" * 8, "a PT_LOAD segment of the loader lies outside of user-space addresses"),
        (104, b"\x01", "a PT_LOAD segment of the loader is larger in the file than in memory"),
    ],
)
def test_refuses_what_is_no_loader(place: int, value: bytes, message: str) -> None:
    file = bytearray(write_elf([_segment()], entry=0))
    file[place : place + len(value)] = value
    with pytest.raises(LoaderError) as refused:
        parse_loader(bytes(file))
    assert str(refused.value) == message


def test_segments_that_claim_the_same_bytes_are_refused() -> None:
    first, second = _segment(content=b"x" * 300), _segment(offset=PAGE, address=0x100, content=b"y")
    with pytest.raises(LoaderError, match=r"^two PT_LOAD segments of the loader overlap at 0x100$"):
        parse_loader(write_elf([second, first], entry=0))


def test_segments_that_share_a_page_are_taken() -> None:
    first, second = _segment(content=b"x" * 256), _segment(offset=PAGE, address=0x100, content=b"y")
    assert len(parse_loader(write_elf([first, second], entry=0)).segments) == 2


def test_refuses_a_loader_that_is_cut_off() -> None:
    with pytest.raises(LoaderError, match="beyond the end"):
        parse_loader(write_elf([_segment()], entry=0)[:-1])


@given(st.binary(max_size=300))
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(LoaderError):
        parse_loader(content)


@given(st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6), st.integers(0, 7))
def test_any_program_header_is_taken_or_refused(numbers: list[int], flags: int) -> None:
    file = bytearray(write_elf([_segment()], entry=0))
    struct.pack_into("<LLQQQQQQ", file, 64, 1, flags, *numbers)
    try:
        loader = parse_loader(bytes(file))
    except LoaderError:
        return
    assert all(len(page) == PAGE for page in loader.file_pages(loader.segments[0]))
