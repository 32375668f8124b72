"""Hashing files of an image without holding them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from typing import Any

from ppmlctl.clients.docker.archive import Reader
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
