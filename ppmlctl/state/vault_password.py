"""Where the vault's password comes from: PPML_VAULT_PASSWORD, a key file, the sandbox's own key file, or a prompt."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.files import PRIVATE, write_atomic
from ppmlctl.secret import Secret

VARIABLE = "PPML_VAULT_PASSWORD"
LARGEST_KEY_FILE = 4096
"""In bytes. A larger file is surely not the one that was meant."""

_OPEN_TO_OTHERS = 0o077
_SANDBOX_KEY_SIZE = 32


@dataclass(frozen=True)
class PasswordSources:
    """The places to ask, in this order. A source that is None is not asked."""

    variables: Mapping[str, str] = field(repr=False)
    """The process environment. Empty counts as unset: CI systems pass a secret that does not exist so."""
    key_file: Path | None = None
    """The file that ppml.yaml names: it must be there. One newline at its end is not part of the password."""
    sandbox_key: Path | None = None
    """See `sandbox_key_path`; may be absent."""
    prompt: Callable[[], str] | None = None
    """Asks the user. None where there is no terminal, so that nothing ever waits for an answer that cannot come."""


def find_password(sources: PasswordSources) -> Secret | None:
    """The vault's password from the first source that has one; None leaves the vault locked.

    Raises StateError: `vault-key-file-missing`, `vault-key-file-readable` (group or others may access it),
    `vault-key-file-size` (empty, or beyond 4096 bytes).
    """
    if password := sources.variables.get(VARIABLE):
        # Python keeps bytes of a variable that are no UTF-8 as surrogates, which cannot be encoded otherwise.
        return Secret(os.fsencode(password), handle=f"env:{VARIABLE}")
    if sources.key_file is not None:
        return read_key_file(sources.key_file)
    if sources.sandbox_key is not None and sources.sandbox_key.exists():
        return read_key_file(sources.sandbox_key)
    if sources.prompt is not None and (password := sources.prompt()):
        return Secret(password, handle="prompt")
    return None


def read_key_file(path: Path) -> Secret:
    """The password in a key file. Raises StateError as `find_password` does."""
    content = _read_private(path)
    password = content.removesuffix(b"\n").removesuffix(b"\r")
    if not password or len(content) > LARGEST_KEY_FILE:
        found = "it is empty" if not password else f"it has more than {LARGEST_KEY_FILE} bytes"
        _refuse("vault-key-file-size", "the vault's key file has the wrong size", path, found)
    return Secret(password, handle=f"file:{path}")


def sandbox_key_path(environment_id: str, state_folder: Path) -> Path:
    """Where the sandbox's key file lies: beside no repository, in the user's state folder (see `user_state_folder`).

    Raises StateError `environment-id-invalid` for an id, perhaps from a foreign lockfile, that is no plain name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", environment_id):
        title = "the environment's id is not one that ppmlctl makes"
        raise StateError(Diagnostic("environment-id-invalid", title, found=repr(environment_id)))
    return state_folder / f"{environment_id}.key"


def user_state_folder() -> Path:
    """The folder of this user for what must outlive a checkout."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only targets with a sandbox pay for it

    return user_state_path("ppmlctl")


def make_sandbox_key(path: Path) -> Secret:
    """Makes a random key file (0600), or gives the one that is there: a second run must open the first one's vault.

    It protects the vault in a commit, not from whoever can read this user's files.
    """
    if not path.exists():
        write_atomic(path, secrets.token_hex(_SANDBOX_KEY_SIZE).encode() + b"\n", mode=PRIVATE)
    return read_key_file(path)


def _read_private(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe would wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        _refuse("vault-key-file-missing", "the vault's key file cannot be opened", path, error.strerror or "")
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            _refuse("vault-key-file-missing", "the vault's key file cannot be opened", path, "it is no regular file")
        if mode & _OPEN_TO_OTHERS:
            _refuse_readable(path, stat.S_IMODE(mode))
        return os.read(descriptor, LARGEST_KEY_FILE + 1)
    finally:
        os.close(descriptor)


def _refuse_readable(path: Path, mode: int) -> NoReturn:
    raise StateError(
        Diagnostic(
            "vault-key-file-readable",
            "the vault's key file can be read by others",
            found=f"{path} has mode {mode:04o}",
            why="whoever can read it can read every secret of the environment",
            fix=f"chmod 600 {path}",
        )
    )


def _refuse(code: str, title: str, path: Path, found: str) -> NoReturn:
    fix = f"name the right file, or give the password in {VARIABLE}"
    raise StateError(Diagnostic(code, title, found=f"{path}: {found}", fix=fix))
