"""BigDL's enclave: which manifest its base image gives for a size, a log level and a kind of attestation.

What BigDL's build of a custom image does with make and Gramine's tools, without any of them: the template's variables
are those that the Makefile beside it gives to `gramine-manifest`.
Source: `ppml/base` and `ppml/trusted-bigdata/custom-image` of BigDL, branches 2.2 to 2.4 and main_backup.
Not part of the package's `__init__`: it loads Jinja2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from ppmlctl.sgx.command_words import command_words, words_path
from ppmlctl.sgx.detection import DetectedGramine, detect_gramine, known_gramine
from ppmlctl.sgx.errors import ManifestError, UndefinedVariableError
from ppmlctl.sgx.findings import Finding, findings
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.gramine_paths import GraminePaths
from ppmlctl.sgx.image_programs import DEFAULT_PATH, ImagePrograms, LinkEnds
from ppmlctl.sgx.makefile import read_makefile
from ppmlctl.sgx.manifest import parse_size, read_manifest, sgx_table
from ppmlctl.sgx.manifest_expansion import expand_manifest
from ppmlctl.sgx.measurement import Measurement, measure
from ppmlctl.sgx.template import render_template, variables_of
from ppmlctl.sgx.toml_places import Places
from ppmlctl.sgx.tree import Kind, Tree
from ppmlctl.sgx.trusted_files import trusted_paths

TEMPLATE = "/ppml/bash.manifest.template"
LOADER = "/usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"

_WORKING_FOLDER = "/ppml"


Measure = Callable[[bytes, bytes, GramineVersion], Measurement]
"""`measure`, or one that remembers."""


@dataclass(frozen=True)
class EnclaveChoices:
    """What may be chosen about the enclave of a base image. `size` as Gramine writes sizes, such as 16G."""

    size: str
    log_level: str
    attested: bool
    gramine: str = "auto"
    template: str = TEMPLATE
    loader: str = LOADER
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the template that hold whatever the Makefile gives."""

    @property
    def makefile(self) -> str:
        """The Makefile that belongs to the template."""
        return str(PurePosixPath(self.template).parent / "Makefile")

    @property
    def make_arguments(self) -> dict[str, str]:
        """What BigDL's build sets on make's command line, where it holds against the Makefile."""
        fixed = {"SGX": "1", "DEBUG": "1", "THIS_DIR": "/ppml", "SPARK_USER": "root"}
        return {**fixed, "G_SGX_SIZE": self.size, "G_LOG_LEVEL": self.log_level}

    @property
    def paths(self) -> GraminePaths:
        """Gramine's files, found from its loader `…/gramine/sgx/libpal.so`."""
        return GraminePaths(PurePosixPath(self.loader).parent.parent)


@dataclass(frozen=True)
class BaseSurroundings:
    """What decides about the manifest beside the files of a base: the image's variables, and its links."""

    environment: Mapping[str, str] = field(default_factory=dict)
    link_ends: LinkEnds = lambda _: {}


@dataclass(frozen=True)
class MeasuredEnclave:
    """An enclave ready to be signed: the bytes that go into the image, and what they measure to."""

    manifest_sgx: bytes
    loader: bytes
    gramine: DetectedGramine
    measurement: Measurement
    findings: tuple[Finding, ...]
    template: str = field(default="", repr=False)
    """What the manifest was rendered from."""

    @cached_property
    def places(self) -> Places:
        """Where findings have their places: in the template."""
        return Places(self.template)


def rendered_manifest(tree: Tree, choices: EnclaveChoices, base: BaseSurroundings) -> str:
    """The manifest before its trusted files are hashed; of `tree`, template and Makefile are read.

    Raises ManifestError: UndefinedVariableError and MakefileError where a variable has no value.
    """
    text = tree.read(choices.template).decode(errors="replace")
    if not choices.attested:
        # The template fixes "dcap"; BigDL's build replaces that text, whatever key it stands under.
        text = text.replace('"dcap"', '"none"')
    makefile = tree.read(choices.makefile) if tree.kind(choices.makefile) is Kind.FILE else None
    try:
        variables = _variables(text, makefile, choices, base)
        return render_template(text, variables, choices.paths, base.environment)
    except UndefinedVariableError as error:
        where = f"{choices.makefile} gives no -D{error.variable}" if makefile else f"there is no {choices.makefile}"
        raise UndefinedVariableError(f"{error}: {where}", error.line, error.variable) from None


def _variables(
    template: str, makefile: bytes | None, choices: EnclaveChoices, base: BaseSurroundings
) -> Mapping[str, str]:
    """The variables of the template. A base without a Makefile is given what ppml.yaml says, and nothing else."""
    if makefile is None:
        return {"log_level": choices.log_level, "g_sgx_size": choices.size, **choices.variables}
    asked = variables_of(template)
    if asked is not None and asked <= choices.variables.keys():
        return choices.variables
    programs = ImagePrograms(base.environment.get("PATH", DEFAULT_PATH), base.link_ends)
    manifest = PurePosixPath(choices.template).name.removesuffix(".template")
    read = read_makefile(makefile, manifest, choices.make_arguments, base.environment, programs.printed)
    names = (read.names if asked is None else asked) - choices.variables.keys()
    given = {name: read.value_of(name) for name in sorted(names)}
    return {**{name: value for name, value in given.items() if value is not None}, **choices.variables}


def needed_paths(manifest: str) -> list[str]:
    """The files and folders of the image that a rendered manifest trusts, and the words. Raises ManifestError."""
    read = read_manifest(manifest)
    words = words_path(read, _WORKING_FOLDER)
    trusted = trusted_paths(sgx_table(read).get("trusted_files", []), _WORKING_FOLDER)
    return [*trusted, words] if words and words not in trusted else trusted


def measured_enclave(
    tree: Tree, choices: EnclaveChoices, base: BaseSurroundings, measure: Measure = measure
) -> MeasuredEnclave:
    """The enclave that the base image in `tree` gives. Raises SgxError, TreeError for what is missing."""
    return measured_manifest(rendered_manifest(tree, choices, base), tree, choices, measure)


def measured_manifest(
    rendered: str, tree: Tree, choices: EnclaveChoices, measure: Measure = measure
) -> MeasuredEnclave:
    """The enclave of a manifest that is rendered; `tree` has the files that it trusts. Raises as `measured_enclave`."""
    gramine = detect_gramine(tree) if choices.gramine == "auto" else known_gramine(tree, choices.gramine)
    libos = str(choices.paths.libos)
    manifest_sgx = expand_manifest(rendered, tree, gramine.version, libos=libos, working_folder=_WORKING_FOLDER)
    _refuse_other_words(manifest_sgx, tree)
    loader = tree.read(choices.loader)
    measurement = measure(manifest_sgx, loader, gramine.version)
    if other := other_than_asked(manifest_sgx, measurement, choices):
        raise ManifestError(f"{choices.template} makes another enclave than ppml.yaml asks for: {'; '.join(other)}")
    return MeasuredEnclave(
        manifest_sgx=manifest_sgx,
        loader=loader,
        gramine=gramine,
        measurement=measurement,
        findings=findings(read_manifest(manifest_sgx), gramine.version),
        template=tree.read(choices.template).decode(errors="replace"),
    )


def other_than_asked(manifest_sgx: bytes, measurement: Measurement, choices: EnclaveChoices) -> list[str]:
    """In what an enclave is not as ppml.yaml has it, for people: a template may fix its size or its attestation."""
    kind, asked = sgx_table(read_manifest(manifest_sgx)).get("remote_attestation"), choices.attested
    other = []
    if measurement.enclave_size != parse_size(choices.size):
        other.append(f"an enclave of {measurement.enclave_size} bytes, asked for was {choices.size}")
    if (kind == "dcap") != asked:
        other.append(f"remote_attestation is {kind}, asked for was {'dcap' if asked else 'none'}")
    return other


def _refuse_other_words(manifest_sgx: bytes, tree: Tree) -> None:
    """A template may give a digest itself, which is taken as it stands: of the words, the file has to be that one."""
    words = command_words(manifest_sgx, _WORKING_FOLDER)
    if words is None or (found := tree.digest(words.path)) == words.sha256:
        return
    raise ManifestError(
        f"the words that the enclave runs are not those that it trusts: {words.path} has SHA-256 {found}, and "
        f"sgx.trusted_files says {words.sha256}"
    )
