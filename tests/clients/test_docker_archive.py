"""Hashing files of an image without holding them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from ppmlctl.clients.docker.archive import Reader
from ppmlctl.diagnostics import TransientError
from ppmlctl.effects import Effects

SIZE, PIECE = 64 << 20, 1 << 16


class _Engine:
    """Hands out one large file of zeros, as the engine does: a tar archive in pieces."""

    def get_archive(self, _container: str, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        return self._pieces(path.rpartition("/")[2]), {"linkTarget": "", "mode": 0o644}

    def _pieces(self, name: str) -> Iterator[bytes]:
        member = tarfile.TarInfo(name)
        member.size = SIZE
        yield member.tobuf()
        yield from (bytes(PIECE) for _ in range(SIZE // PIECE))
        yield bytes(2 * tarfile.BLOCKSIZE)


def test_a_file_larger_than_memory_can_be_hashed() -> None:
    api: Any = _Engine()
    expected = hashlib.file_digest(io.BytesIO(bytes(SIZE)), "sha256").hexdigest()
    tracemalloc.start()
    try:
        found = Reader(api, Effects("docker", writes_allowed=True), "image", {}).digests(["/ppml/large"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == {"/ppml/large": expected}
    assert peak < SIZE // 8


class _Folder:
    """Hands out `/lib` with the files a and b; of its archive as many bytes as it is told, and then the words."""

    def __init__(self, length: int | None = None, words: bytes = b"") -> None:
        self._length, self._words = length, words

    def get_archive(self, _container: str, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as archive:
            for name, size in (("lib", None), ("lib/a", 700), ("lib/b", 700)):
                member = tarfile.TarInfo(name)
                member.type, member.size = (tarfile.DIRTYPE, 0) if size is None else (tarfile.REGTYPE, size)
                archive.addfile(member, io.BytesIO(bytes(member.size)))
        said = content.getvalue()[: self._length] + self._words
        return iter([said[at : at + 1000] for at in range(0, len(said), 1000)]), {"linkTarget": "", "mode": 1 << 31}


def _listed(api: Any) -> set[str]:
    return set(Reader(api, Effects("docker", writes_allowed=True), "image", {}).listing(["/lib"]).digests)


def test_an_archive_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    assert _listed(_Folder()) == {"/lib/a", "/lib/b"}
    between, block = 512 + 512 + 1024, 512
    for length in (0, 100, block, between, between + 100, between + block, between + block + 1024, between + 2048):
        for words in (b"", b'{"message":"input/output error"}'):
            with pytest.raises(TransientError, match=r"is   read files of image: "):
                _listed(_Folder(length, words))


class _LinkToTheRoot:
    """`/all` leads to `/`, which the engine archives by that name, and what is below without it."""

    def get_archive(self, _container: str, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        if path == "/all":
            return iter(()), {"linkTarget": "/", "mode": 0}
        folder, file = tarfile.TarInfo("/"), tarfile.TarInfo("/etc/passwd")
        folder.type = tarfile.DIRTYPE
        return iter([folder.tobuf(), file.tobuf(), bytes(2 * tarfile.BLOCKSIZE)]), {"linkTarget": "", "mode": 1 << 31}


def test_what_is_below_a_link_to_the_root_is_listed_below_the_link() -> None:
    api: Any = _LinkToTheRoot()
    found = Reader(api, Effects("docker", writes_allowed=True), "image", {}).listing(["/all"])
    assert (set(found.digests), found.folders) == ({"/all/etc/passwd"}, {"/all"})
