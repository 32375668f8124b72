"""Files put in place whole or not at all, and read within bounds: the only place where a file is opened to be read."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from glob import escape
from io import BufferedReader
from pathlib import Path

from ppmlctl.failpoint import failpoint

PRIVATE = 0o600
PUBLIC = 0o644

LARGEST = 1 << 24
"""Bytes of a file that people or ppmlctl write, where its kind says nothing else."""
LARGEST_RECORD = 1 << 26
"""Bytes of a file that grows with the environment: lockfile, saved plan, remembered digests."""

_CHUNK = 1 << 16

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: Path) -> BufferedReader:
    """The file, open to be read from its beginning; symbolic links are followed.

    Never waits: a named pipe would, for its writer. Raises OSError, also for what is no regular file; its `strerror`
    says which kind it is.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    words = f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a regular file"
    raise OSError(errno.EINVAL, words, str(path))


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file. Raises OSError, also where it has more than `most` bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > most else file.read(size)
        # Files of the kernel say no size, and others grow meanwhile.
        while size <= most and (piece := file.read(_CHUNK)):
            content += piece
            size = len(content)
        if size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
        return content


def read_text(path: Path, most: int = LARGEST, *, errors: str = "strict") -> str:
    """The same as text in UTF-8, whose lines end with a newline alone. Raises OSError, UnicodeDecodeError."""
    text = read_bytes(path, most).decode(errors=errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
