"""A signed enclave that is in an image already: taken out, measured here, and compared with what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules.context import Context
from ppmlctl.oci import ENVIRONMENT, TASK
from ppmlctl.protection import KEY_CLIENT
from ppmlctl.sgx import (
    ContentTree,
    Entry,
    Kind,
    SgxError,
    Sigstruct,
    SigstructError,
    TreeError,
    changed_trusted_files,
    detect_gramine,
    findings,
    measure,
    places_of_traces,
    read_manifest,
    trusted_file_paths,
)
from ppmlctl.sgx.bigdl import MeasuredEnclave
from ppmlctl.sgx.command_words import command_words
from ppmlctl.sgx.detection import known_gramine

MANIFEST, SIGSTRUCT = "/ppml/bash.manifest.sgx", "/ppml/bash.sig"
WORKING_FOLDER = "/ppml"
_MOST_NAMED = 10


@dataclass(frozen=True)
class SignedEnclave:
    """What an image holds: the enclave as it measures here, and the SIGSTRUCT that somebody made of it."""

    enclave: MeasuredEnclave
    sigstruct: Sigstruct
    offsets: bytes | None
    """The image's file with Gramine's constants, where it has one."""
    has_key_client: bool
    """Whether the image has what `encrypted-fsd.sh` starts."""


def signed_enclave_of(ctx: Context, image: str, loader: str, gramine: str) -> SignedEnclave:
    """Takes the enclave out of the image. Its signature holds; whether it measures as that says is not asked yet.

    Raises EngineError: `enclave-not-in-image`, `enclave-signature-wrong`, and what the client raises.
    """
    ctx.tell(f"reads the enclave of {image}")
    wanted = [MANIFEST, SIGSTRUCT, loader, KEY_CLIENT, *places_of_traces()]
    found = ctx.engines.docker.read_files(image, wanted, owner=_owner(ctx))
    missing = [path for path in (MANIFEST, SIGSTRUCT, loader) if path not in found]
    if missing:
        raise _not_there(f"{image} has no {', '.join(missing)}")
    try:
        sigstruct = Sigstruct.from_bytes(found[SIGSTRUCT])
        sigstruct.verify()
    except SigstructError as error:
        raise _wrong_signature(f"{image}: {SIGSTRUCT}: {error}") from None
    tree, manifest = ContentTree(found), found[MANIFEST]
    try:
        detected = detect_gramine(tree, manifest) if gramine == "auto" else known_gramine(tree, gramine)
        measurement = measure(manifest, found[loader], detected.version)
        weaknesses = findings(read_manifest(manifest), detected.version)
    except SgxError as error:
        raise _not_there(f"{image}: {error}") from None
    enclave = MeasuredEnclave(manifest, found[loader], detected, measurement, weaknesses)
    offsets = found[detected.offsets] if detected.offsets else None
    return SignedEnclave(enclave, sigstruct, offsets, KEY_CLIENT in found)


def refuse_other_measurement(signed: SignedEnclave, image: str) -> None:
    """Raises EngineError: `enclave-measurement-mismatch`, where the SIGSTRUCT was made of something else."""
    measured, said = signed.enclave.measurement, signed.sigstruct
    pairs = {
        "MRENCLAVE": (said.mr_enclave, measured.mr_enclave),
        "ISVPRODID": (said.isv_prod_id, measured.isv_prod_id),
        "ISVSVN": (said.isv_svn, measured.isv_svn),
        "debug": (said.attributes.is_debug, measured.debug),
    }
    other = [f"{name} is {here}, {SIGSTRUCT} says {there}" for name, (there, here) in pairs.items() if there != here]
    if other:
        raise EngineError(
            Diagnostic(
                "enclave-measurement-mismatch",
                "an image holds another enclave than its signature says",
                found="\n".join([f"{image}, measured from its manifest and its loader:", *other]),
                why="whoever trusts the signature would trust something that is not in the image",
                fix="find out which step of its build makes the signature, and of what; do not use the image",
            )
        )


def refuse_other_words(ctx: Context, image: str, manifest_sgx: bytes, name: str) -> None:
    """Raises EngineError: `enclave-words-differ`, where the image has other words to run than its manifest trusts.

    `name` is what people know the image by. It is asked even where a measurement is taken as it is told: nobody has to
    compute anything to see it.
    """
    try:
        words = command_words(manifest_sgx, WORKING_FOLDER)
    except SgxError as error:
        raise _other_words(f"{name}: {MANIFEST}: {error}") from None
    if words is None:
        return
    found = ctx.engines.docker.file_digests(image, [words.path], owner=_owner(ctx)).get(words.path)
    if found != words.sha256:
        there = f"has SHA-256 {found}" if found else "is missing"
        raise _other_words(f"{name}: {words.path} {there}; {MANIFEST} trusts it with {words.sha256}")


def refuse_changed_files(ctx: Context, image: str, manifest_sgx: bytes) -> None:
    """Raises EngineError: `enclave-file-differs`, where the image has a trusted file otherwise than the manifest."""
    ctx.tell(f"hashes trusted files of {image}")
    paths = trusted_file_paths(manifest_sgx, WORKING_FOLDER)
    digests = ctx.engines.docker.file_digests(image, paths, owner=_owner(ctx))
    changed = [str(one) for one in changed_trusted_files(manifest_sgx, _Hashed(digests), WORKING_FOLDER)]
    if changed:
        more = [f"and {len(changed) - _MOST_NAMED} more"] if len(changed) > _MOST_NAMED else []
        raise EngineError(
            Diagnostic(
                "enclave-file-differs",
                "a file that the enclave trusts is another one in the image",
                found="\n".join([f"{image}:", *changed[:_MOST_NAMED], *more]),
                why="the enclave refuses to open it, or it is not the file that was meant to be trusted",
                fix="find out which step of the image's build changes it, and build the base anew",
            )
        )


class _Hashed:
    """A Tree of which nothing is known but the digests of some files."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = digests

    def kind(self, path: str) -> Kind | None:
        return Kind.FILE if path in self._digests else None

    def entries(self, folder: str) -> Iterator[Entry]:  # noqa: ARG002 - the Protocol's own shape
        return iter(())

    def read(self, path: str) -> bytes:
        raise TreeError(f"{path} was not kept")

    def digest(self, path: str) -> str:
        return self._digests[path]


def _owner(ctx: Context) -> dict[str, str]:
    return {ENVIRONMENT: ctx.environment, TASK: ctx.address}


def _not_there(found: str) -> EngineError:
    title, fix = "an image holds no enclave that can be measured", "name an image that was signed for SGX"
    return EngineError(Diagnostic("enclave-not-in-image", title, found=found, fix=fix))


def _other_words(found: str) -> EngineError:
    return EngineError(
        Diagnostic(
            "enclave-words-differ",
            "an image holds other words to run than its enclave trusts",
            found=found,
            why="the enclave would run something else than was signed, or refuse to start",
            fix="find out which step of the image's build changes that file, and sign the image as it is then",
        )
    )


def _wrong_signature(found: str) -> EngineError:
    title, why = "the enclave signature in an image does not hold", "no CPU starts such an enclave"
    return EngineError(Diagnostic("enclave-signature-wrong", title, found=found, why=why, fix="have the image signed"))
