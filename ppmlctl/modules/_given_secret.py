"""A secret value that the user gives by an environment variable or a file."""

from __future__ import annotations

import os
import stat

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_bytes
from ppmlctl.modules.context import Files
from ppmlctl.secret import Secret

_OPEN_TO_OTHERS = 0o077


def from_variable(name: str) -> Secret | None:
    """The variable's value; None where it is unset or empty, as CI systems pass a secret that does not exist."""
    value = os.environ.get(name)
    # Python keeps bytes that are no UTF-8 as surrogates, which cannot be encoded otherwise.
    return Secret(os.fsencode(value), handle=f"env:{name}") if value else None


def from_file(files: Files, relative: str) -> Secret | None:
    """The file's content without one newline at its end; None where it is not there or empty.

    Raises InputError: `secret-file-readable` where group or others may access it, `secret-file-unreadable`.
    """
    path = files.path(relative)
    try:
        mode, content = path.stat().st_mode, read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        title = "a secret file cannot be read"
        raise InputError(Diagnostic("secret-file-unreadable", title, found=f"{relative}: {error.strerror}")) from None
    if mode & _OPEN_TO_OTHERS:
        raise InputError(_readable(relative, stat.S_IMODE(mode)))
    value = content.removesuffix(b"\n").removesuffix(b"\r")
    return Secret(value, handle=f"file:{relative}") if value else None


def _readable(relative: str, mode: int) -> Diagnostic:
    return Diagnostic(
        "secret-file-readable",
        "a secret file can be read by others",
        found=f"{relative} has mode {mode:04o}",
        why="whoever can read it has the secret",
        fix=f"chmod 600 {relative}",
    )
