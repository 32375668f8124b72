"""Who signs an enclave: a key file here, or a command that asks whoever holds the key."""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.clients.signer import SigningCommand
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError, StateError
from ppmlctl.files import read_bytes
from ppmlctl.modules._signing_key import read_signing_key
from ppmlctl.modules.context import Context, Files
from ppmlctl.sgx import GivenSignature, SigningKeyError, Sigstruct, SigstructError, mr_signer_of
from ppmlctl.sgx.sigstruct import KEY_BYTES
from ppmlctl.spec import Duration


@dataclass(frozen=True)
class SignerChoice:
    """`key` is a file, `command` an external signer with its `public_key`; paths relative to ppml.yaml's folder."""

    mr_signer: str
    key: str | None = None
    command: tuple[str, ...] | None = None
    public_key: str | None = None
    time_limit: str = "60s"

    def foreseen(self, files: Files, unsigned: Sigstruct) -> Sigstruct | None:
        """What signing will give, where that can be told beforehand: the same key and bytes give the same signature.

        An external signer is never asked by a plan.
        """
        key = read_signing_key(files, self.key, to_sign=False) if self.key is not None else None
        if key is None or key.mr_signer != self.mr_signer:
            return None
        try:
            return unsigned.signed_by(key)
        except SigstructError:
            return None

    def sign(self, ctx: Context, unsigned: Sigstruct) -> Sigstruct:
        """Signs; what comes back has been verified. Raises `signing-key-changed`, `signer-wrong-answer`, and more."""
        if self.command is not None and self.public_key is not None:
            return self._ask(ctx, unsigned, read_public_key(ctx.files, self.public_key))
        path = str(self.key)
        key = read_signing_key(ctx.files, path, to_sign=True)
        if key is None:
            raise StateError(self._changed(f"{path} does not exist"))
        self._expect(path, key.mr_signer)
        return unsigned.signed_by(key)

    def _ask(self, ctx: Context, unsigned: Sigstruct, modulus: int) -> Sigstruct:
        self._expect(str(self.public_key), mr_signer_of(modulus))
        arguments = self.command or ()
        ctx.tell(f"asks {arguments[0]} to sign")
        limit = Duration(self.time_limit).seconds
        command = SigningCommand(ctx.files.effects, arguments, ctx.files.root, limit, ctx.stopping)
        answer = command.answer_to(unsigned.signed_part())
        try:
            return unsigned.signed_by(GivenSignature(modulus, answer))
        except SigstructError:
            raise EngineError(self._wrong(answer)) from None

    def _expect(self, path: str, found: str) -> None:
        if found != self.mr_signer:
            raise StateError(self._changed(f"{path} has MRSIGNER {found}"))

    def _changed(self, found: str) -> Diagnostic:
        title = "the enclave signing key is not the one that was planned with"
        return Diagnostic(
            "signing-key-changed", title, f"{found}; planned was {self.mr_signer}", fix="plan and apply again"
        )

    def _wrong(self, answer: bytes) -> Diagnostic:
        program = (self.command or ("",))[0]
        found = f"{program} answered {len(answer)} bytes, which are no signature of {self.public_key}"
        if len(answer) != KEY_BYTES:
            found = f"{program} answered {len(answer)} bytes; a raw RSA-3072 signature has {KEY_BYTES}"
        return Diagnostic(
            "signer-wrong-answer",
            "the external signer's answer is no signature by its public key",
            found,
            "RSASSA-PKCS1-v1_5 with SHA-256 over the bytes on its standard input is needed, raw and big-endian",
            "see which key the command uses, and that it prints nothing else; nothing was signed",
        )


def read_public_key(files: Files, path: str) -> int:
    """The modulus of a public key. Raises `public-key-wrong`."""
    from ppmlctl.sgx.signing_key import public_modulus  # noqa: PLC0415 - cryptography, which most plans spare

    try:
        return public_modulus(read_bytes(files.path(path)))
    except (SigningKeyError, OSError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        title, why = "the external signer's public key cannot be used", "MRSIGNER follows from it"
        fix = "name an RSA-3072 public key with exponent 3, in PEM, as enclave.signer.public_key"
        raise InputError(Diagnostic("public-key-wrong", title, f"{path}: {words}", why, fix)) from None
