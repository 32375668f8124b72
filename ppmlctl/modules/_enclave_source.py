"""Where an enclave's files come from, a folder or an image at the Docker engine, and how to measure it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.evidence import Evidence
from ppmlctl.modules.context import Context, Files
from ppmlctl.protection import KEY_CLIENT
from ppmlctl.sgx import (
    ContentTree,
    FolderTree,
    Kind,
    Layout,
    MakefileError,
    SgxError,
    TreeError,
    UndefinedVariableError,
    measure,
    places_of_traces,
)
from ppmlctl.sgx.bigdl import (
    BaseSurroundings,
    EnclaveChoices,
    Measure,
    MeasuredEnclave,
    measured_enclave,
    measured_manifest,
    needed_paths,
    rendered_manifest,
)

_LOADER, _OFFSETS = "libpal.so", "_offsets.py"


@dataclass(frozen=True)
class EnclaveSource:
    """A measured enclave. Paths of `loader` and `offsets` are relative to ppml.yaml's folder."""

    enclave: MeasuredEnclave
    loader: str
    offsets: str | None
    copies: Mapping[str, bytes] = field(default_factory=dict)
    """Files to be put beside the manifest, since they lie nowhere else on this machine."""
    evidence: Evidence = Evidence.VERIFIED
    """What MRENCLAVE is worth."""
    has_key_client: bool = False
    """Whether the base has what `encrypted-fsd.sh` starts."""

    def recompute(self, manifest: str) -> str:
        """The shell command that measures again."""
        version = self.enclave.gramine.version
        command = ["ppmlctl", "enclave", "measure", "--manifest", manifest]
        command += ["--loader", self.loader, "--gramine", version.name]
        if self.offsets and version.layout != Layout():
            command += ["--offsets", self.offsets]
        return shlex.join(command)


def enclave_of_folder(files: Files, base: str, choices: EnclaveChoices, measure: Measure = measure) -> EnclaveSource:
    """Measures the base in a folder, by `measure`. Raises InputError: `enclave-base`, `enclave-not-measurable`."""
    if not files.path(base).is_dir():
        raise InputError(_no_base(base))
    tree = FolderTree(files.path(base))
    with _refusing(base, choices, base):
        enclave = measured_enclave(tree, choices, BaseSurroundings(link_ends=tree.link_ends), measure)
    offsets = enclave.gramine.offsets
    has_client = tree.kind(KEY_CLIENT) is Kind.FILE
    return EnclaveSource(
        enclave, f"{base}{choices.loader}", f"{base}{offsets}" if offsets else None, has_key_client=has_client
    )


def enclave_of_image(ctx: Context, image: str, choices: EnclaveChoices, output: str) -> EnclaveSource:
    """Measures the base in an image: template, Makefile and loader are fetched, trusted files hashed and not kept.

    Raises what `enclave_of_folder` and the client raise.
    """
    docker, owner = ctx.engines.docker, {"dev.ppmlctl.environment": ctx.environment, "dev.ppmlctl.task": ctx.address}
    ctx.tell(f"reads manifest template and loader of {image}")
    paths = (choices.template, choices.makefile, choices.loader, str(choices.paths.libos), KEY_CLIENT)
    first = [*paths, *places_of_traces()]
    found = docker.read_files(image, first, owner=owner)
    inspected = docker.inspect_image(image)
    environment = (inspected.environment if inspected else None) or {}
    base = BaseSurroundings(environment, lambda paths: docker.link_ends(image, paths, owner=owner))
    with _refusing(image, choices):
        manifest = rendered_manifest(ContentTree(found), choices, base)
        trusted = needed_paths(manifest)
    ctx.tell(f"hashes trusted files of {image}")
    listing = docker.list_files(image, trusted, owner=owner)
    with _refusing(image, choices):
        enclave = measured_manifest(manifest, ContentTree(found, listing.digests, listing.folders), choices)
    offsets = enclave.gramine.offsets
    source = copied_source(enclave, found[offsets] if offsets else None, output)
    return replace(source, has_key_client=KEY_CLIENT in found)


def copied_source(enclave: MeasuredEnclave, offsets: bytes | None, output: str) -> EnclaveSource:
    """An enclave of an image, of which the files that are needed to measure it again are kept in `output`."""
    copies = {_LOADER: enclave.loader} if offsets is None else {_LOADER: enclave.loader, _OFFSETS: offsets}
    return EnclaveSource(enclave, f"{output}/{_LOADER}", f"{output}/{_OFFSETS}" if offsets else None, copies)


@contextmanager
def _refusing(base: str, choices: EnclaveChoices, folder: str = "") -> Iterator[None]:
    """What keeps an enclave from being measured, as what people mend. `folder`: where the base's files lie here."""
    try:
        yield
    except UndefinedVariableError as error:
        at = Location(f"{folder}{choices.template}", error.line or 1, 1)
        raise InputError(_no_variable(base, choices, error, at)) from None
    except MakefileError as error:
        at = Location(f"{folder}{choices.makefile}", error.line or 1, 1)
        raise InputError(_unread_makefile(base, error, at)) from None
    except SgxError as error:
        raise InputError(_not_measurable(base, choices, error)) from None


def _no_variable(base: str, choices: EnclaveChoices, error: UndefinedVariableError, at: Location) -> Diagnostic:
    return Diagnostic(
        "manifest-variable-missing",
        "a variable of the manifest template has no value",
        found=f"{base}: {error}",
        why="with another value than the base means, MRENCLAVE is another one",
        fix=f"set images.base.manifest_variables.{error.variable} in ppml.yaml, "
        f"or have {choices.makefile} give it to gramine-manifest",
        at=at,
    )


def _unread_makefile(base: str, error: MakefileError, at: Location) -> Diagnostic:
    key = "images.base.manifest_variables"
    fix = (
        f"set {key}.{error.variable} in ppml.yaml"
        if error.variable
        else f"set all of the template's variables in {key}"
    )
    return Diagnostic(
        "makefile-not-understood",
        "the base's Makefile does not tell the manifest's variables",
        found=f"{base}: {error.variable}: {error}" if error.variable else f"{base}: {error}",
        why="nothing of a base is run to find out what its manifest is",
        fix=f"{fix}, or use enclave.manifest: build",
        at=at,
    )


def _no_base(base: str) -> Diagnostic:
    return Diagnostic(
        "enclave-base",
        "the base of the enclave is missing",
        found=f"{base} is no folder",
        why="manifest template, loader and trusted files are read from there",
        fix="name the folder with the root file system as images.base.rootfs",
    )


def _not_measurable(base: str, choices: EnclaveChoices, error: SgxError) -> Diagnostic:
    fix = f"mend {choices.template} in the base, or what it names"
    if isinstance(error, TreeError):
        fix = "put the file into the base, or take it out of the template"
    return Diagnostic(
        "enclave-not-measurable",
        "the enclave of the base cannot be measured",
        found=f"{base}: {error}",
        why="what cannot be measured here is not signed",
        fix=fix,
    )
