"""The signed enclave of a base image: `bash.manifest.sgx` and `bash.sig`, measured and signed on this machine.

The signing key never enters a container, a build context or an image: measurement and signature are computed here, byte
for byte, and by default so is the manifest. `manifest: build` has the base's own Makefile make it, in a build with a
key to be thrown away; what that build says is compared with what is measured here, and with the files of the base.
Identity: the output folder. Nothing replaces it; files that were changed or lost are written again, and a base whose
content has changed is signed anew. A valid signature by the same signer over the same statement is kept, with its date.
Errors: `enclave-base`, `enclave-not-measurable`, `enclave-finding`, `enclave-debug-forbidden`,
`manifest-variable-missing`, `makefile-not-understood`, `enclave-words-differ`, `enclave-measurement-mismatch`,
`enclave-file-differs`, `enclave-not-in-image`, `enclave-not-as-asked`, `enclave-signature-wrong`,
`key-client-refused`, `signing-key-changed`, `signer-missing`, `signer-failed`, `signer-timeout`, `signer-wrong-answer`,
and those of `enclave_key`. A removal deletes the files.
Source: BigDL's `ppml/trusted-bigdata/custom-image`; Gramine's `python/graminelibos`; Intel SDM Vol. 3D.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator

from ppmlctl.diagnostics import Diagnostic, InputError, Location, StateError
from ppmlctl.files import read_bytes
from ppmlctl.key_client import key_client_program
from ppmlctl.modules._enclave_build import enclave_of_build
from ppmlctl.modules._enclave_in_image import WORKING_FOLDER
from ppmlctl.modules._enclave_source import EnclaveSource, enclave_of_folder, enclave_of_image
from ppmlctl.modules._protections import of_enclave
from ppmlctl.modules._signer import SignerChoice
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context, Files
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Wanted, decide
from ppmlctl.protection import KEY_CLIENT
from ppmlctl.sgx import Finding, MeasurementCache, Sigstruct, SigstructError, data_key_folders, measure
from ppmlctl.sgx.allowed_files import opens_unmeasured
from ppmlctl.sgx.bigdl import LOADER, TEMPLATE, EnclaveChoices, Measure, MeasuredEnclave
from ppmlctl.unknown import Unknown, unknowns_in

_MANIFEST, _SIGSTRUCT, _COPIES = "bash.manifest.sgx", "bash.sig", ("libpal.so", "_offsets.py")
_KEY_CLIENT = "key_client.py"
_CACHE = ".ppml/cache/measurements.json"
_WHO_SIGNS = ("key", "command", "public_key", "time_limit", "mr_signer")
Verdict = Literal["ignore", "warn", "error"]


class EnclaveSignatureArgs(ModuleArgs):
    """`base` is a folder, `image` a reference at the Docker engine; `findings` says what a weakness means, by name.

    Signs `key`, or `command` with its `public_key`, in at most `time_limit`. `date`: of a new signature. `key_client`:
    the image needs what fetches a data key, and is given ours where the base has none.
    """

    base: str | None = None
    image: str | None = None
    base_digest: str | None = None
    manifest: Literal["here", "build"] = "here"
    measure: Literal["verify", "trust"] = "verify"
    template: str = TEMPLATE
    loader: str = LOADER
    size: str
    log_level: str
    attestation: Literal["dcap", "none"] = "dcap"
    variables: dict[str, str] | None = None
    gramine: str = "auto"
    key: str | None = None
    command: tuple[str, ...] | None = None
    public_key: str | None = None
    time_limit: str = "60s"
    mr_signer: str
    debug: Literal["forbid", "allow"] = "forbid"
    findings: dict[str, Verdict] | None = None
    date: dt.date = dt.date(1980, 1, 1)
    output: str = ".ppml/enclave"
    key_client: bool | None = None

    @model_validator(mode="after")
    def _one_source(self) -> EnclaveSignatureArgs:
        unknown = isinstance(self.base, Unknown) or isinstance(self.image, Unknown)
        if not unknown and (self.base is None) == (self.image is None):
            raise ValueError("exactly one of base and image is needed")
        if not any(unknowns_in([self.key, self.command, self.public_key])) and not self._has_one_signer():
            raise ValueError("either key is needed, or command and public_key")
        if not unknown and self.manifest == "build" and self.image is None:
            raise ValueError("only an image can be built on")
        return self

    def _has_one_signer(self) -> bool:
        return [one is None for one in (self.key, self.command, self.public_key)] in (
            [False, True, True],
            [True, False, False],
        )


class EnclaveSignatureResult(ModuleResult):
    """`recompute`: a shell command that gives `mr_enclave` again, in ppml.yaml's folder.

    `data_key_folders`: what the manifest encrypts with a data key. `key_client`: the file for the image that fetches
    that key; None where the base has one, or none is wanted.
    """

    path: str
    manifest: str
    sigstruct: str
    loader: str
    manifest_sha256: str
    sigstruct_sha256: str
    mr_enclave: str
    mr_signer: str
    isv_prod_id: int
    isv_svn: int
    debug: bool
    gramine: str
    data_key_folders: list[str]
    key_client: str | None = None
    key_client_sha256: str | None = None
    recompute: str


class EnclaveSignature(Module[EnclaveSignatureArgs, EnclaveSignatureResult]):
    """See the module's text."""

    kind = "enclave_signature"
    Args = EnclaveSignatureArgs
    Result = EnclaveSignatureResult
    shown = ("sigstruct", "mr_enclave", "recompute")

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {one.address: _observed(ctx, one.args) for one in wanted if isinstance(one.args.output, str)}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        _refuse(wanted.args, observed.detail)
        change = decide(wanted, observed, recorded)
        if recorded is None or change.action is not ActionKind.KEEP:
            return change
        changed = tuple(
            FieldChange(name, recorded.result[name], value)
            for name, value in observed.foreseen.items()
            if recorded.result.get(name, value) != value
        )
        return Change(ActionKind.UPDATE, ("the base has changed",), changed) if changed else change

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(of_enclave(inputs))

    def apply(self, ctx: Context, args: EnclaveSignatureArgs, observed: Observed) -> EnclaveSignatureResult:  # noqa: ARG002 - measured anew, so that what is signed is what is there now
        source = _source(ctx, args)
        _refuse(args, source)
        for finding in _warnings(args, source):
            ctx.warn(finding)
        unsigned = _unsigned(args, source.enclave)
        signed = _kept_signature(ctx.files, args, unsigned) or _signer(args).sign(ctx, unsigned)
        client = {_KEY_CLIENT: key_client_program()} if _gives_key_client(args, source) else {}
        files = {_MANIFEST: source.enclave.manifest_sgx, **source.copies, **client, _SIGSTRUCT: signed.to_bytes()}
        for name, content in files.items():
            ctx.files.write(f"{args.output}/{name}", content)
        if not client and ctx.files.path(f"{args.output}/{_KEY_CLIENT}").is_file():
            ctx.files.remove(f"{args.output}/{_KEY_CLIENT}")
        _verify(ctx.files, args, files)
        result = {**_measured(args, source), **_signature(signed)}
        return EnclaveSignatureResult(**result, evidence=source.evidence)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        output = inputs["output"]
        names = {"manifest": _MANIFEST, "sigstruct": _SIGSTRUCT, "key_client": _KEY_CLIENT}
        return {"path": output, **{field: f"{output}/{name}" for field, name in names.items()}}

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The folder: what is in it goes by the base."""
        return (inputs.get("output"),)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        folder = recorded.result["path"]
        for name in (_SIGSTRUCT, _MANIFEST, _KEY_CLIENT, *_COPIES):
            if ctx.files.path(f"{folder}/{name}").is_file():
                ctx.files.remove(f"{folder}/{name}")

    def notes(self, args: EnclaveSignatureArgs) -> Sequence[str]:
        return ("enclave: debug is allowed; a debug enclave protects nothing",) if args.debug == "allow" else ()


def _observed(ctx: Context, args: EnclaveSignatureArgs) -> Observed:
    """What the files say, and what they will say. An image is read by a container, which a plan does not make."""
    fields = _on_disk(ctx.files, args)
    described = {name: getattr(args, name) for name in type(args).model_fields if name not in _WHO_SIGNS}
    if args.base is None or any(unknowns_in(described)):
        return Observed(exists=bool(fields), fields=fields)
    source = _source(ctx, args, MeasurementCache(ctx.files.path(_CACHE)).measure)
    foreseen = _measured(args, source)
    if not any(unknowns_in([getattr(args, name) for name in _WHO_SIGNS])) and not _faults(args, source):
        unsigned = _unsigned(args, source.enclave)
        signed = _kept_signature(ctx.files, args, unsigned) or _signer(args).foreseen(ctx.files, unsigned)
        foreseen |= _signature(signed) if signed else {}
    findings = tuple(_warnings(args, source))
    return Observed(exists=bool(fields), fields=fields, foreseen=foreseen, detail=source, findings=findings)


def _warnings(args: EnclaveSignatureArgs, source: EnclaveSource) -> Iterator[str]:
    """What the manifest makes possible and `findings` lets pass, in words."""
    for finding in _found(args, source.enclave, "warn"):
        at = _place(args, finding, source.enclave)
        place = f"{at.file}:{at.line}: " if at else ""
        yield f"{place}{finding.found}: {finding.why}"


def _on_disk(files: Files, args: EnclaveSignatureArgs) -> dict[str, Any]:
    """Fields of the result as the files have them; empty unless all are there."""
    try:
        manifest, raw = (read_bytes(files.path(f"{args.output}/{name}")) for name in (_MANIFEST, _SIGSTRUCT))
    except OSError:
        return {}
    if args.base is None and not files.path(f"{args.output}/{_COPIES[0]}").is_file():
        return {}
    client = files.path(f"{args.output}/{_KEY_CLIENT}")
    digests = {
        "manifest_sha256": _sha256(manifest),
        "sigstruct_sha256": _sha256(raw),
        "key_client_sha256": _sha256(read_bytes(client)) if client.is_file() else None,
    }
    try:
        sigstruct = Sigstruct.from_bytes(raw)
    except SigstructError:
        return digests
    return {**digests, "mr_enclave": sigstruct.mr_enclave, "mr_signer": sigstruct.mr_signer}


def _source(ctx: Context, args: EnclaveSignatureArgs, measure: Measure = measure) -> EnclaveSource:
    choices = EnclaveChoices(
        size=args.size,
        log_level=args.log_level,
        attested=args.attestation == "dcap",
        gramine=args.gramine,
        template=args.template,
        loader=args.loader,
        variables=args.variables or {},
    )
    if args.base is not None:
        return enclave_of_folder(ctx.files, args.base, choices, measure)
    if args.manifest == "build":
        return enclave_of_build(ctx, str(args.image), choices, args.output, trust=args.measure == "trust")
    return enclave_of_image(ctx, str(args.image), choices, args.output)


def _measured(args: EnclaveSignatureArgs, source: EnclaveSource) -> dict[str, Any]:
    """The part of the result that needs no key."""
    measurement, manifest = source.enclave.measurement, f"{args.output}/{_MANIFEST}"
    return {
        "path": args.output,
        "manifest": manifest,
        "sigstruct": f"{args.output}/{_SIGSTRUCT}",
        "loader": source.loader,
        "manifest_sha256": _sha256(source.enclave.manifest_sgx),
        "mr_enclave": measurement.mr_enclave,
        "isv_prod_id": measurement.isv_prod_id,
        "isv_svn": measurement.isv_svn,
        "debug": measurement.debug,
        "gramine": source.enclave.gramine.version.name,
        "data_key_folders": list(data_key_folders(source.enclave.manifest_sgx)),
        "recompute": source.recompute(manifest),
        **_key_client(args, given=_gives_key_client(args, source)),
    }


def _gives_key_client(args: EnclaveSignatureArgs, source: EnclaveSource) -> bool:
    return bool(args.key_client) and not source.has_key_client


def _key_client(args: EnclaveSignatureArgs, *, given: bool) -> dict[str, str | None]:
    if not given:
        return {"key_client": None, "key_client_sha256": None}
    return {"key_client": f"{args.output}/{_KEY_CLIENT}", "key_client_sha256": _sha256(key_client_program())}


def _signature(signed: Sigstruct) -> dict[str, Any]:
    return {"sigstruct_sha256": _sha256(signed.to_bytes()), "mr_signer": signed.mr_signer}


def _unsigned(args: EnclaveSignatureArgs, enclave: MeasuredEnclave) -> Sigstruct:
    return Sigstruct.unsigned(enclave.measurement, enclave.gramine.version, args.date)


def _signer(args: EnclaveSignatureArgs) -> SignerChoice:
    return SignerChoice(**{name: getattr(args, name) for name in _WHO_SIGNS})


def _kept_signature(files: Files, args: EnclaveSignatureArgs, unsigned: Sigstruct) -> Sigstruct | None:
    """The file's SIGSTRUCT if it is valid, by the same signer, and says the same: nobody signs that twice."""
    try:
        kept = Sigstruct.from_bytes(read_bytes(files.path(f"{args.output}/{_SIGSTRUCT}")))
        kept.verify()
    except (OSError, SigstructError):
        return None
    return kept if kept.says_the_same_as(unsigned) and kept.mr_signer == args.mr_signer else None


def _verify(files: Files, args: EnclaveSignatureArgs, written: Mapping[str, bytes]) -> None:
    for name, content in written.items():
        if read_bytes(files.path(f"{args.output}/{name}")) != content:
            title = "a file of the enclave changed while it was written"
            raise StateError(Diagnostic("enclave-file-changed", title, f"{args.output}/{name}", fix="apply again"))


def _refuse(args: EnclaveSignatureArgs, source: EnclaveSource | None) -> None:
    faults = _faults(args, source) if source else []
    if faults:
        raise InputError(*faults)


def _faults(args: EnclaveSignatureArgs, source: EnclaveSource) -> list[Diagnostic]:
    faults = [_fault(args, finding, source.enclave) for finding in _found(args, source.enclave, "error")]
    manifest = source.enclave.manifest_sgx
    if _gives_key_client(args, source) and not opens_unmeasured(manifest, KEY_CLIENT, WORKING_FOLDER):
        faults.append(_key_client_refused(args))
    return faults


def _key_client_refused(args: EnclaveSignatureArgs) -> Diagnostic:
    return Diagnostic(
        "key-client-refused",
        "the base has no key client, and its enclave would not open ours",
        found=f"{args.base or args.image} has no {KEY_CLIENT}, and {args.template} allows no file there",
        why="an encrypted folder needs a program in the enclave that has EHSM unwrap its data key",
        fix=f"put one into the base at {KEY_CLIENT} and trust it in the template's sgx.trusted_files",
    )


def _found(args: EnclaveSignatureArgs, enclave: MeasuredEnclave, verdict: Verdict) -> list[Finding]:
    """The findings that mean this. A debug enclave and a size that no CPU takes are errors unless told otherwise."""
    debug: Verdict = "warn" if args.debug == "allow" else "error"
    verdicts: dict[str, Verdict] = {"sgx_debug": debug, **(args.findings or {}), "enclave_size": "error"}
    return [finding for finding in enclave.findings if verdicts.get(finding.name, "warn") == verdict]


def _fault(args: EnclaveSignatureArgs, finding: Finding, enclave: MeasuredEnclave) -> Diagnostic:
    at = _place(args, finding, enclave)
    if finding.name == "sgx_debug":
        title, fix = (
            "a debug enclave would be signed",
            f"take sgx.debug out of {args.template}, or set enclave.debug: allow",
        )
        return Diagnostic("enclave-debug-forbidden", title, finding.found, finding.why, fix, at)
    fix = f"mend {args.template} in the base, or set enclave.findings.{finding.name}"
    if finding.name == "enclave_size":
        fix = "choose a power of two as images.custom.enclave_size"
    return Diagnostic("enclave-finding", "the manifest of the enclave is refused", finding.found, finding.why, fix, at)


def _place(args: EnclaveSignatureArgs, finding: Finding, enclave: MeasuredEnclave) -> Location | None:
    """Where the template says it; `path` is the manifest's key."""
    place = finding.place(enclave.places)
    file = f"{args.base}{args.template}" if args.base is not None else args.template
    return Location(file, place.line, place.column, ".".join(finding.key)) if place else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
