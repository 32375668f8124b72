"""Files that hold keys: read only where nobody but their owner could have read them."""

from __future__ import annotations

import stat
from collections.abc import Collection, Sequence

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_bytes
from ppmlctl.modules.context import Files

_OPEN_TO_OTHERS = 0o077


def read_key_files(files: Files, folder: str, names: Sequence[str], *, private: Collection[str]) -> dict[str, bytes]:
    """The files of these names that are in the folder.

    Raises InputError: `key-readable-by-others` for a private one that group or others may access, `key-unreadable`.
    """
    found: dict[str, bytes] = {}
    open_to_others: list[str] = []
    for name in names:
        relative = f"{folder}/{name}"
        path = files.path(relative)
        try:
            mode = path.stat().st_mode
            found[name] = read_bytes(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InputError(_unreadable(relative, error.strerror or "")) from None
        if name in private and mode & _OPEN_TO_OTHERS:
            open_to_others.append(f"{relative} has mode {stat.S_IMODE(mode):04o}")
    if open_to_others:
        raise InputError(_readable(open_to_others))
    return found


def _unreadable(relative: str, reason: str) -> Diagnostic:
    return Diagnostic("key-unreadable", "a key file cannot be read", found=f"{relative}: {reason}")


def _readable(found: Sequence[str]) -> Diagnostic:
    paths = " ".join(line.split(" has mode ")[0] for line in found)
    return Diagnostic(
        "key-readable-by-others",
        "a key file can be read by others",
        found="\n".join(found),
        why="whoever can read it can pose as this server, and read what is sent to it",
        fix=f"chmod 600 {paths}",
    )
