"""Files that people name on the command line, read and written with words for what is wrong with them."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ppmlctl.cli.errors import text_of
from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import Diagnostic, InputError, Severity
from ppmlctl.files import PUBLIC, read_bytes, write_atomic
from ppmlctl.secret import Secret
from ppmlctl.sgx import SigningKeyError, Sigstruct, SigstructError
from ppmlctl.sgx.sigstruct import SIGSTRUCT_SIZE

if TYPE_CHECKING:
    from ppmlctl.sgx.signing_key import SigningKey

_LARGEST = 256 << 20
_OPEN_TO_OTHERS = 0o077


def read(path: Path) -> bytes:
    """The content of a file of at most 256 MiB, which is ten times what any of them may hold. Raises `enclave-file`."""
    try:
        return read_bytes(path, _LARGEST)
    except OSError as error:
        found = f"{path}: {error.strerror}"
        raise InputError(Diagnostic("enclave-file", "a file cannot be read", found)) from None


def write(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Puts a file in place, whole. Raises `enclave-file`."""
    try:
        write_atomic(path, content, mode=mode)
    except OSError as error:
        found = f"{path}: {error.strerror}"
        raise InputError(Diagnostic("enclave-file", "a file cannot be written", found)) from None


def sigstruct_of(content: bytes, name: str) -> Sigstruct:
    """The SIGSTRUCT in `content`, be it valid or not. Raises `sigstruct-size`."""
    try:
        return Sigstruct.from_bytes(content)
    except SigstructError:
        found = f"{name} has {len(content)} bytes"
        why = f"a SIGSTRUCT has {SIGSTRUCT_SIZE}; it is the .sig file beside the manifest"
        raise InputError(Diagnostic("sigstruct-size", "this is no SIGSTRUCT", found, why)) from None


def signing_key(path: Path) -> SigningKey:
    """The private key in a file; that others can read it is warned of. Raises `signing-key-wrong`."""
    from ppmlctl.sgx.signing_key import SigningKey

    pem = Secret(read(path), handle=f"file:{path}")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OPEN_TO_OTHERS:
        title, found = "enclave signing key can be read by others", f"{path} has mode {mode:04o}"
        fix, why = f"chmod 600 {path}", "whoever can read it can sign another enclave as you"
        warn(Diagnostic("signing-key-readable", title, found, why, fix, severity=Severity.WARNING))
    try:
        return SigningKey.from_pem(pem)
    except SigningKeyError as error:
        raise InputError(wrong_key(path, error)) from None


def wrong_key(path: Path, error: SigningKeyError) -> Diagnostic:
    """What is wrong with a key file, private or public."""
    why = "SGX takes RSA-3072 keys with exponent 3, in PEM without a passphrase"
    return Diagnostic(
        "signing-key-wrong", "enclave signing key cannot be used", f"{path}: {error}", why, "ppmlctl enclave key --make"
    )


def warn(diagnostic: Diagnostic) -> None:
    """Says on stderr what stops nothing."""
    print(text_of(diagnostic, Style.of(sys.stderr)), file=sys.stderr)
