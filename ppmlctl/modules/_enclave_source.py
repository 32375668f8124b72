"""Where an enclave's files come from, a folder or an image at the Docker engine, and how to measure it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.evidence import Evidence
from ppmlctl.modules.context import Context, Files
from ppmlctl.sgx import ContentTree, FolderTree, Kind, Layout, SgxError, Tree, TreeError, measure, places_of_traces
from ppmlctl.sgx.bigdl import (
    EnclaveChoices,
    Measure,
    MeasuredEnclave,
    measured_enclave,
    needed_paths,
    rendered_manifest,
)
from ppmlctl.spark import KEY_CLIENT

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
    enclave = _measured(tree, choices, base, measure)
    offsets = enclave.gramine.offsets
    has_client = tree.kind(KEY_CLIENT) is Kind.FILE
    return EnclaveSource(
        enclave, f"{base}{choices.loader}", f"{base}{offsets}" if offsets else None, has_key_client=has_client
    )


def enclave_of_image(ctx: Context, image: str, choices: EnclaveChoices, output: str) -> EnclaveSource:
    """Measures the base in an image, in two calls: template and loader are fetched, trusted files hashed and not kept.

    Raises what `enclave_of_folder` and the client raise.
    """
    docker, owner = ctx.engines.docker, {"dev.ppmlctl.environment": ctx.environment, "dev.ppmlctl.task": ctx.address}
    ctx.tell(f"reads manifest template and loader of {image}")
    first = [choices.template, choices.loader, str(choices.paths.libos), KEY_CLIENT, *places_of_traces()]
    found = docker.read_files(image, first, owner=owner)
    try:
        manifest = rendered_manifest(ContentTree(found).read(choices.template), choices)
        trusted = needed_paths(manifest)
    except SgxError as error:
        raise InputError(_not_measurable(image, choices, error)) from None
    ctx.tell(f"hashes trusted files of {image}")
    listing = docker.list_files(image, trusted, owner=owner)
    enclave = _measured(ContentTree(found, listing.digests, listing.folders), choices, image)
    offsets = enclave.gramine.offsets
    source = copied_source(enclave, found[offsets] if offsets else None, output)
    return replace(source, has_key_client=KEY_CLIENT in found)


def copied_source(enclave: MeasuredEnclave, offsets: bytes | None, output: str) -> EnclaveSource:
    """An enclave of an image, of which the files that are needed to measure it again are kept in `output`."""
    copies = {_LOADER: enclave.loader} if offsets is None else {_LOADER: enclave.loader, _OFFSETS: offsets}
    return EnclaveSource(enclave, f"{output}/{_LOADER}", f"{output}/{_OFFSETS}" if offsets else None, copies)


def _measured(tree: Tree, choices: EnclaveChoices, base: str, measure: Measure = measure) -> MeasuredEnclave:
    try:
        return measured_enclave(tree, choices, measure)
    except SgxError as error:
        raise InputError(_not_measurable(base, choices, error)) from None


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
