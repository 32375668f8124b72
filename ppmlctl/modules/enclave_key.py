"""The enclave signing key: an RSA-3072 key file with exponent 3, made once; or the public key of an external signer.

Identity: the path. Nothing replaces it: MRSIGNER, by which policies know the signer, is the key itself. So a key that
was recorded and is missing here is an error and never made anew; another key in its place is an update that everything
signed follows. Errors: `signing-key-missing`, `signing-key-readable`, `signing-key-wrong`,
`public-key-wrong`. A removal keeps the file.
Source: Intel SDM Vol. 3D "SIGSTRUCT"; `gramine-sgx-gen-private-key` of Gramine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.files import PRIVATE, read_bytes
from ppmlctl.modules._retired import rotation_given
from ppmlctl.modules._signer import read_public_key
from ppmlctl.modules._signing_key import read_signing_key
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.sgx import mr_signer_of
from ppmlctl.unknown import Unknown


class EnclaveKeyArgs(ModuleArgs):
    """`path`: of the PEM file, relative to ppml.yaml's folder. `public`: it is the public half, never made."""

    path: str
    public: bool = False


class EnclaveKeyResult(ModuleResult):
    """`mr_signer`: SHA-256 of the modulus, in hex."""

    path: str
    mr_signer: str


class EnclaveKey(Module[EnclaveKeyArgs, EnclaveKeyResult]):
    """See the module's text."""

    kind = "enclave_key"
    Args = EnclaveKeyArgs
    Result = EnclaveKeyResult
    shown = ("path", "mr_signer")
    removal = Removal.KEEP
    follows_rotation = "MRSIGNER changes: the enclave is signed anew, and policies, images and workloads follow"
    echoes = frozenset({"path"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {one.address: _observed(ctx, one.args) for one in wanted if not isinstance(one.args.path, Unknown)}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        before = recorded.result.get("mr_signer") if recorded else None
        if before is not None and not observed.exists:
            raise StateError(_missing(wanted.args.path, before))
        after = observed.fields.get("mr_signer")
        if before is not None and before != after:
            return Change(ActionKind.UPDATE, ("another key is there",), (FieldChange("mr_signer", before, after),))
        return decide(wanted, observed, recorded)

    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change:
        """Raises InputError for an external signer's key, which is not here."""
        if wanted.args.public:
            raise InputError(rotation_given(wanted.address, f"external signer ({wanted.args.path})"))
        return super().rotation(wanted, recorded)

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        return () if inputs.get("public") else (inputs.get("path"),)

    def apply(self, ctx: Context, args: EnclaveKeyArgs, observed: Observed) -> EnclaveKeyResult:  # noqa: ARG002 - the file is read anew
        if args.public:
            return EnclaveKeyResult(path=args.path, mr_signer=mr_signer_of(read_public_key(ctx.files, args.path)))
        key, recorded = read_signing_key(ctx.files, args.path, to_sign=True), ctx.recorded.get(ctx.address)
        if ctx.rotating and key is not None and recorded and key.mr_signer == recorded.result["mr_signer"]:
            _set_aside(ctx, args.path, key.mr_signer)
            key = None
        if key is None:
            if recorded is not None and not ctx.rotating:
                raise StateError(_missing(args.path, recorded.result["mr_signer"]))
            from ppmlctl.sgx.signing_key import SigningKey  # noqa: PLC0415 - cryptography

            ctx.tell("makes an RSA-3072 key")
            key = SigningKey.generate()
            ctx.files.write(args.path, key.to_pem().reveal_bytes(), mode=PRIVATE)
        return EnclaveKeyResult(path=args.path, mr_signer=key.mr_signer)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"path": inputs["path"]}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """The key is kept: nothing to do."""


def _set_aside(ctx: Context, path: str, mr_signer: str) -> None:
    """Keeps the old key beside the new one, which takes its place when it is written."""
    kept = f"{path}.retired-{mr_signer[:8]}"
    ctx.files.write(kept, read_bytes(ctx.files.path(path)), mode=PRIVATE)
    ctx.warn(f"the old key is kept as {kept}, until you remove it")


def _observed(ctx: Context, args: EnclaveKeyArgs) -> Observed:
    mr_signer = _mr_signer(ctx, args)
    if mr_signer is None:
        return Observed(exists=False)
    return Observed(fields={"mr_signer": mr_signer}, foreseen={"path": args.path, "mr_signer": mr_signer})


def _mr_signer(ctx: Context, args: EnclaveKeyArgs) -> str | None:
    if args.public:
        return mr_signer_of(read_public_key(ctx.files, args.path))
    key = read_signing_key(ctx.files, args.path, to_sign=False)
    return key.mr_signer if key else None


def _missing(path: str, mr_signer: str) -> Diagnostic:
    return Diagnostic(
        "signing-key-missing",
        "the enclave signing key is missing here",
        found=f"{path} does not exist; the lockfile records the key with MRSIGNER {mr_signer}",
        why="a new key would be another signer: what is deployed and the policies at EHSM know only the old one",
        fix=f"bring the key back as {path}, or put another one there to sign with that from now on",
    )
