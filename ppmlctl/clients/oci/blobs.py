"""The blobs of a layout folder, each put in place whole under the name of its digest."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ppmlctl.failpoint import failpoint
from ppmlctl.files import PRIVATE, PUBLIC, open_regular, sync_folder
from ppmlctl.oci import Descriptor, Entry, blob_path, digest_of, digest_of_stream, write_layer

_CHUNK = 1 << 20


class Blobs:
    """Writes below `folder`/blobs/sha256. Raises OSError as the file system does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._home = folder / "blobs" / "sha256"

    def prepare(self) -> None:
        """Makes the folders, and removes what a crash left half written."""
        self._home.mkdir(parents=True, exist_ok=True)
        for stale in self._home.glob(".*.tmp"):
            stale.unlink()

    def put(self, content: bytes, media_type: str) -> Descriptor:
        """Keeps `content` and says where it is found."""
        digest = digest_of(content)
        with self._temporary() as (stream, temporary):
            stream.write(content)
            self._place(stream, temporary, digest)
        return Descriptor(media_type, digest, len(content))

    def put_layer(self, entries: Collection[Entry]) -> Descriptor:
        """Keeps the layer of `entries` and says where it is found."""
        with self._temporary() as (stream, temporary):
            layer = write_layer(entries, stream)
            self._place(stream, temporary, layer.digest)
        return layer

    def copy(self, source: Path, digest: str) -> bool:
        """Keeps a copy of `source`, unless its content has another digest than it should; says whether it was kept."""
        with self._temporary() as (stream, temporary):
            with open_regular(source) as original:
                shutil.copyfileobj(original, stream, _CHUNK)
            stream.flush()
            with open_regular(temporary) as copied:
                if digest_of_stream(copied) != digest:
                    return False
            self._place(stream, temporary, digest)
        return True

    def keep_only(self, digests: Collection[str]) -> None:
        """Removes every blob but those named."""
        kept = {blob_path(self._folder, digest) for digest in digests}
        for blob in sorted(self._home.iterdir()):
            if blob not in kept:
                blob.unlink()

    @contextmanager
    def _temporary(self) -> Iterator[tuple[BinaryIO, Path]]:
        temporary = self._home / f".{secrets.token_hex(6)}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream, temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _place(self, stream: BinaryIO, temporary: Path, digest: str) -> None:
        stream.flush()
        os.fchmod(stream.fileno(), PUBLIC)
        os.fsync(stream.fileno())
        failpoint("before blob")
        temporary.replace(blob_path(self._folder, digest))
        sync_folder(self._home)
        failpoint("after blob")
