"""The enclave signing key's file: read only if nobody but its owner could have read it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_bytes
from ppmlctl.modules.context import Files
from ppmlctl.secret import Secret
from ppmlctl.sgx import SigningKeyError

if TYPE_CHECKING:
    from ppmlctl.sgx.signing_key import SigningKey

_OPEN_TO_OTHERS = 0o077


def read_signing_key(files: Files, path: str, *, to_sign: bool) -> SigningKey | None:
    """The key in the file, None if there is no file. Not `to_sign`, its primes are not checked, which is much faster.

    Raises InputError: `signing-key-readable` where group or others may access it, `signing-key-wrong` where it is no
    RSA-3072 key with exponent 3 in PEM.
    """
    from ppmlctl.sgx.signing_key import SigningKey  # noqa: PLC0415 - cryptography, which a plan without a key spares

    place = files.path(path)
    try:
        mode, pem = stat.S_IMODE(place.stat().st_mode), read_bytes(place)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(_wrong(f"{path}: {error.strerror}")) from None
    if mode & _OPEN_TO_OTHERS:
        raise InputError(_readable(path, mode))
    try:
        return SigningKey.from_pem(Secret(pem, handle=f"file:{path}"), check_primes=to_sign)
    except SigningKeyError as error:
        raise InputError(_wrong(f"{path}: {error}")) from None


def _readable(path: str, mode: int) -> Diagnostic:
    return Diagnostic(
        "signing-key-readable",
        "enclave signing key can be read by others",
        found=f"{path} has mode {mode:04o}",
        why="whoever can read it can sign another enclave as you",
        fix=f"chmod 600 {path}",
    )


def _wrong(found: str) -> Diagnostic:
    return Diagnostic(
        "signing-key-wrong",
        "enclave signing key cannot be used",
        found=found,
        why="SGX takes RSA-3072 keys with exponent 3, and this file must be one in PEM without a passphrase",
        fix="name another file as enclave.signer.key; where none exists, a key is made",
    )
