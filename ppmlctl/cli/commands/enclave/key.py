"""`ppmlctl enclave key`"""

from __future__ import annotations

from pathlib import Path

from ppmlctl.cli.commands.enclave.files import read, signing_key, write, wrong_key
from ppmlctl.cli.commands.enclave.view import show
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import PRIVATE
from ppmlctl.sgx import SigningKeyError, mr_signer_of

_PUBLIC = b"-----BEGIN PUBLIC KEY-----"


def key(path: Path, public: Path | None, *, make: bool, as_json: bool) -> None:
    """MRSIGNER of a key, private or public; `make` makes the key first, `public` is where its public half goes."""
    if make:
        _make(path)
    told = {"mr_signer": _mr_signer(path), "key": str(path)}
    if public is not None:
        write(public, signing_key(path).public_pem())
        told["public_key"] = str(public)
    show(told, as_json=as_json)


def _make(path: Path) -> None:
    from ppmlctl.sgx.signing_key import SigningKey

    if path.exists() or path.is_symlink():
        why = "enclaves that are deployed, and the policies at EHSM, know their signer by it"
        fix = "name another file; what a key signed cannot be signed by another as the same signer"
        raise InputError(Diagnostic("signing-key-exists", "a key is never overwritten", str(path), why, fix))
    write(path, SigningKey.generate().to_pem().reveal_bytes(), mode=PRIVATE)


def _mr_signer(path: Path) -> str:
    from ppmlctl.sgx.signing_key import public_modulus

    content = read(path)
    if not content.lstrip().startswith(_PUBLIC):
        return signing_key(path).mr_signer
    try:
        return mr_signer_of(public_modulus(content))
    except SigningKeyError as error:
        raise InputError(wrong_key(path, error)) from None
