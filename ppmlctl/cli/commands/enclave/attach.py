"""`ppmlctl enclave attach`"""

from __future__ import annotations

from pathlib import Path

from ppmlctl.cli.commands.enclave.files import read, write, wrong_key
from ppmlctl.cli.commands.enclave.view import show
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.sgx import GivenSignature, SigningKeyError, Sigstruct, SigstructError
from ppmlctl.sgx.sigstruct import KEY_BYTES, SIGNED_SIZE


def attach(signed_part: Path, signature: Path, public_key: Path, output: Path, *, as_json: bool) -> None:
    """Makes the whole SIGSTRUCT, and writes it only if it verifies."""
    unsigned, modulus, raw = _unsigned(signed_part), _modulus(public_key), read(signature)
    if len(raw) != KEY_BYTES:
        raise InputError(_wrong_signature(f"{signature} has {len(raw)} bytes; a raw signature has {KEY_BYTES}"))
    try:
        signed = unsigned.signed_by(GivenSignature(modulus, raw))
    except SigstructError:
        found = f"{signature} is no signature over {signed_part} by {public_key}"
        raise InputError(_wrong_signature(found)) from None
    write(output, signed.to_bytes())
    told = {"mr_enclave": signed.mr_enclave, "mr_signer": signed.mr_signer, "output": str(output)}
    show(told, as_json=as_json)


def _unsigned(path: Path) -> Sigstruct:
    content = read(path)
    try:
        return Sigstruct.from_signed_part(content)
    except SigstructError as error:
        wrong = ", ".join(error.broken)
        found = f"{path} has {len(content)} bytes, not {SIGNED_SIZE}" if wrong == "size" else f"{path}: wrong {wrong}"
        fix = "ppmlctl enclave digest writes it"
        raise InputError(Diagnostic("signed-part-wrong", "this is no signed part", found, fix=fix)) from None


def _modulus(path: Path) -> int:
    from ppmlctl.sgx.signing_key import public_modulus

    try:
        return public_modulus(read(path))
    except SigningKeyError as error:
        raise InputError(wrong_key(path, error)) from None


def _wrong_signature(found: str) -> Diagnostic:
    return Diagnostic(
        "signature-wrong",
        "the signature cannot be attached",
        found,
        "RSASSA-PKCS1-v1_5 with SHA-256 over the signed part is needed, 384 bytes, big-endian as RSA libraries give it",
        "openssl dgst -sha256 -sign KEY -out SIGNATURE SIGNED_PART",
    )
