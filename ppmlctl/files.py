"""Files put in place whole or not at all."""

from __future__ import annotations

import os
import secrets
from glob import escape
from pathlib import Path

from ppmlctl.failpoint import failpoint

PRIVATE = 0o600
PUBLIC = 0o644


def write_atomic(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Puts `content` at `path` durably: temporary file in the same folder, fsync, rename, fsync of the folder.

    The mode is exact, whatever the umask. Missing folders are made. A crash leaves the old file or the new one,
    and at most a temporary file `.NAME.DIGITS.tmp` beside it, which the next write of the same file removes.
    """
    temporary = _written(path, content, mode)
    try:
        failpoint(f"before file {path.name}")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    failpoint(f"after file {path.name}")


def rehearse_write(path: Path, content: bytes, *, more: int, mode: int) -> None:
    """Takes every step of a write that brings `more` bytes, and ends with `content`, which should be there already.

    For what must not be begun unless its outcome can be kept. Raises OSError where the write would.
    """
    _written(path, content + bytes(more), mode).unlink()
    write_atomic(path, content, mode=mode)


def _written(path: Path, content: bytes, mode: int) -> Path:
    """A temporary file beside `path`, durable but for its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{escape(path.name)}.{'[0-9a-f]' * 12}.tmp"):
        stale.unlink(missing_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(6)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sync_folder(folder: Path) -> None:
    """Makes renames and removals in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
