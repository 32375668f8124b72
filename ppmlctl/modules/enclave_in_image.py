"""The signed enclave inside an image: taken out, measured on this machine, and compared with what its signature says.

Nothing is signed here and no key is needed: it is the last look at a custom image, and the only one at an image that
somebody else signed. Every file that the manifest trusts is hashed again, from the image.
Identity: the image. Nothing replaces it; another image is looked at anew. Errors: `enclave-not-in-image`,
`enclave-signature-wrong`, `enclave-words-differ`, `enclave-measurement-mismatch`, `enclave-file-differs`,
`enclave-debug-forbidden`, `enclave-not-the-signed-one`. A removal deletes the copies.
Source: Gramine's `python/graminelibos`; Intel SDM Vol. 3D.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.files import read_bytes
from ppmlctl.modules._enclave_in_image import (
    SignedEnclave,
    refuse_changed_files,
    refuse_other_measurement,
    refuse_other_words,
    signed_enclave_of,
)
from ppmlctl.modules._enclave_source import copied_source
from ppmlctl.modules._protections import of_enclave
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed, Recorded, Wanted
from ppmlctl.sgx import data_key_folders
from ppmlctl.sgx.bigdl import LOADER
from ppmlctl.unknown import Unknown, unknowns_in

_MANIFEST, _SIGSTRUCT, _COPIES = "bash.manifest.sgx", "bash.sig", ("libpal.so", "_offsets.py")


class EnclaveInImageArgs(ModuleArgs):
    """`image` at the Docker engine, which now has the id `image_id`.

    `mr_enclave` and `mr_signer`: what has to be found, where that is known. `measure: trust` takes what the signature
    says. `findings` says what a weakness means, by name.
    """

    image: str
    image_id: str
    loader: str = LOADER
    gramine: str = "auto"
    mr_enclave: str | None = None
    mr_signer: str | None = None
    measure: Literal["verify", "trust"] = "verify"
    debug: Literal["forbid", "allow"] = "forbid"
    findings: dict[str, Literal["ignore", "warn", "error"]] | None = None
    output: str = ".ppml/enclave-in-image"


class EnclaveInImageResult(ModuleResult):
    """`recompute`: a shell command that gives `mr_enclave` again, in ppml.yaml's folder.

    `data_key_folders`: what the manifest encrypts with a data key. `has_key_client`: whether the image has what fetches
    that key.
    """

    path: str
    image: str
    manifest_sha256: str
    sigstruct_sha256: str
    mr_enclave: str
    mr_signer: str
    isv_prod_id: int
    isv_svn: int
    debug: bool
    gramine: str
    data_key_folders: list[str]
    has_key_client: bool
    recompute: str


class EnclaveInImage(Module[EnclaveInImageArgs, EnclaveInImageResult]):
    """See the module's text."""

    kind = "enclave_in_image"
    Args = EnclaveInImageArgs
    Result = EnclaveInImageResult
    engine = "docker"
    is_check = True
    shown = ("image", "mr_enclave", "mr_signer", "recompute")

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {one.address: _observed(ctx, one.args) for one in wanted if not isinstance(one.args.output, Unknown)}

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(of_enclave(inputs))

    def apply(self, ctx: Context, args: EnclaveInImageArgs, observed: Observed) -> EnclaveInImageResult:  # noqa: ARG002 - taken out anew
        signed = signed_enclave_of(ctx, args.image_id, args.loader, args.gramine)
        if args.measure == "verify":
            refuse_other_measurement(signed, args.image)
        refuse_other_words(ctx, args.image_id, signed.enclave.manifest_sgx, args.image)
        if args.measure == "verify":
            refuse_changed_files(ctx, args.image_id, signed.enclave.manifest_sgx)
        _refuse(args, signed)
        _warn(ctx, args, signed)
        source = copied_source(signed.enclave, signed.offsets, args.output)
        files = {**source.copies, _SIGSTRUCT: signed.sigstruct.to_bytes(), _MANIFEST: signed.enclave.manifest_sgx}
        for name, content in files.items():
            ctx.files.write(f"{args.output}/{name}", content)
        said = signed.sigstruct
        return EnclaveInImageResult(
            path=args.output,
            image=args.image,
            manifest_sha256=_sha256(signed.enclave.manifest_sgx),
            sigstruct_sha256=_sha256(said.to_bytes()),
            mr_enclave=said.mr_enclave,
            mr_signer=said.mr_signer,
            isv_prod_id=said.isv_prod_id,
            isv_svn=said.isv_svn,
            debug=said.attributes.is_debug,
            gramine=signed.enclave.gramine.version.name,
            data_key_folders=list(data_key_folders(signed.enclave.manifest_sgx)),
            has_key_client=signed.has_key_client,
            recompute=source.recompute(f"{args.output}/{_MANIFEST}"),
            evidence=Evidence.VERIFIED if args.measure == "verify" else Evidence.NOT_VERIFIED,
        )

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"path": inputs["output"]}

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The folder: what is in it goes by the base."""
        return (inputs.get("output"),)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        folder = recorded.result["path"]
        for name in (_SIGSTRUCT, _MANIFEST, *_COPIES):
            if ctx.files.path(f"{folder}/{name}").is_file():
                ctx.files.remove(f"{folder}/{name}")


def _observed(ctx: Context, args: EnclaveInImageArgs) -> Observed:
    """The copies, which are there once it was looked at; a plan looks into no image."""
    fields = {}
    for name, field in ((_MANIFEST, "manifest_sha256"), (_SIGSTRUCT, "sigstruct_sha256")):
        path = ctx.files.path(f"{args.output}/{name}")
        if path.is_file():
            fields[field] = _sha256(read_bytes(path))
    known = {"image": args.image, "mr_enclave": args.mr_enclave, "mr_signer": args.mr_signer, "path": args.output}
    foreseen = {name: value for name, value in known.items() if value is not None and not any(unknowns_in([value]))}
    return Observed(exists=len(fields) == len((_MANIFEST, _SIGSTRUCT)), fields=fields, foreseen=foreseen)


def _refuse(args: EnclaveInImageArgs, signed: SignedEnclave) -> None:
    found = {"MRENCLAVE": signed.sigstruct.mr_enclave, "MRSIGNER": signed.sigstruct.mr_signer}
    wanted = {"MRENCLAVE": args.mr_enclave, "MRSIGNER": args.mr_signer}
    other = [
        f"{name} is {found[name]}, not {value}" for name, value in wanted.items() if value not in (None, found[name])
    ]
    if other:
        title, fix = "the enclave in an image is not the one that was signed for it", "apply again"
        raise EngineError(Diagnostic("enclave-not-the-signed-one", title, "\n".join([args.image, *other]), fix=fix))
    if signed.sigstruct.attributes.is_debug and args.debug == "forbid":
        title, why = "the image holds a debug enclave", "a debugger can read the enclave: it protects nothing"
        fix = "use another image, or set enclave.debug: allow"
        raise EngineError(Diagnostic("enclave-debug-forbidden", title, args.image, why, fix))
    verdicts = args.findings or {}
    errors = [one for one in signed.enclave.findings if verdicts.get(one.name) == "error"]
    if errors:
        title, fix = "the manifest of the enclave is refused", "use another image, or set enclave.findings"
        raise EngineError(*(Diagnostic("enclave-finding", title, one.found, one.why, fix) for one in errors))


def _warn(ctx: Context, args: EnclaveInImageArgs, signed: SignedEnclave) -> None:
    if args.mr_enclave is not None:
        return  # said already by whoever signed it here
    for finding in signed.enclave.findings:
        if (args.findings or {}).get(finding.name, "warn") == "warn":
            ctx.warn(f"{finding.found}: {finding.why}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
