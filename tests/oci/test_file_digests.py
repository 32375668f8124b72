"""Remembering what files hold."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ppmlctl.oci import FileDigests, digest_of

LATER = 10_000_000_000


def later() -> int:
    return time.time_ns() + LATER


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    digests = FileDigests(now_ns=later)
    assert [digests.of(file), digests.of(file), digests.read] == [digest_of(b"1"), digest_of(b"1"), 1]


def test_a_young_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    digests = FileDigests(now_ns=lambda: file.stat().st_ctime_ns + 1_999_999_999)
    digests.of(file)
    file.write_bytes(b"2")
    assert digests.of(file) == digest_of(b"2")


def test_another_content_with_size_and_modification_time_put_back_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    digests = FileDigests(now_ns=later)
    digests.of(file)
    status = file.stat()
    while file.stat().st_ctime_ns == status.st_ctime_ns:
        file.write_bytes(b"2")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digests.of(file) == digest_of(b"2")


def test_what_is_known_outlives_the_process(tmp_path: Path) -> None:
    file, store = tmp_path / "a", tmp_path / "cache" / "digests.json"
    file.write_bytes(b"1")
    first = FileDigests(store, now_ns=later)
    first.of(file)
    first.save()
    second = FileDigests(store, now_ns=later)
    assert (second.of(file), second.read) == (digest_of(b"1"), 0)


def test_nothing_learnt_writes_nothing(tmp_path: Path) -> None:
    FileDigests(tmp_path / "digests.json").save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"version":2,"files":{}}', b'{"version":1}', b'{"version":1,"files":{"a":[1,2,3,4,"md5:1"]}}'],
)
def test_a_damaged_store_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    store, file = tmp_path / "digests.json", tmp_path / "a"
    store.write_bytes(content)
    file.write_bytes(b"1")
    assert FileDigests(store, now_ns=later).of(file) == digest_of(b"1")
