"""Digests of files, remembered as long as the file system says that nothing changed."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ppmlctl.files import LARGEST_RECORD, open_regular, read_bytes
from ppmlctl.oci.digest import digest_of_stream, is_digest

_YOUNG_NS = 2_000_000_000
"""Two writes within one tick of a file system's clock leave the same times; FAT's tick is two seconds."""

_VERSION = 1

_Stamp = tuple[int, int, int, int]


class FileDigests:
    """SHA-256 of files by path, size, modification and change time, and inode. Safe for threads.

    A file that changed within the last two seconds is read each time. `store` keeps what is known between runs; it may
    be deleted at any time, and a damaged one counts as empty.
    """

    def __init__(self, store: Path | None = None, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._now_ns = now_ns
        self._known: dict[str, tuple[_Stamp, str]] = _loaded(store)
        self._changed = False
        self._lock = threading.Lock()
        self.read = 0
        """How many files were read, because nothing usable was known."""

    def of(self, path: Path) -> str:
        """The digest of the content at `path`. Raises OSError where it cannot be read."""
        place = str(path.absolute())
        with open_regular(path) as stream:
            before = _stamp(os.fstat(stream.fileno()))
            with self._lock:
                known = self._known.get(place)
            if known is not None and known[0] == before:
                return known[1]
            self.read += 1
            digest = digest_of_stream(stream)
            after = _stamp(os.fstat(stream.fileno()))
        if before == after and self._is_old(after):
            with self._lock:
                self._known[place] = after, digest
                self._changed = True
        return digest

    def save(self) -> None:
        """Keeps what is known in `store`, if anything was learnt. Loss of it costs time only, so nothing is synced."""
        if self._store is None or not self._changed:
            return
        with self._lock:
            files = {place: [*stamp, digest] for place, (stamp, digest) in sorted(self._known.items())}
            self._changed = False
        self._store.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._store.parent / f".{self._store.name}.{secrets.token_hex(6)}.tmp"
        temporary.write_text(json.dumps({"version": _VERSION, "files": files}), encoding="utf-8")
        temporary.replace(self._store)

    def _is_old(self, stamp: _Stamp) -> bool:
        _, modified, changed, _ = stamp
        return self._now_ns() - max(modified, changed) >= _YOUNG_NS


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _loaded(store: Path | None) -> dict[str, tuple[_Stamp, str]]:
    try:
        document = json.loads(read_bytes(store, LARGEST_RECORD)) if store else {}
        if document.get("version") != _VERSION:
            return {}
        return {place: _entry(*values) for place, values in document["files"].items()}
    except (OSError, ValueError, TypeError, AttributeError, LookupError):
        return {}


def _entry(size: int, modified: int, changed: int, inode: int, digest: str) -> tuple[_Stamp, str]:
    if not is_digest(digest):
        raise ValueError(digest)
    return (size, modified, changed, inode), digest
