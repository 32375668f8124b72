"""BigDL's enclave: which manifest its base image gives for a size, a log level and a kind of attestation.

What `make-sgx.sh` and the Makefile of BigDL's custom image do with Gramine's tools, without either.
Source: `ppml/base` and `ppml/trusted-bigdata/custom-image` of BigDL, branch main_backup.
Not part of the package's `__init__`: it loads Jinja2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from ppmlctl.sgx.detection import DetectedGramine, detect_gramine, known_gramine
from ppmlctl.sgx.findings import Finding, findings
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.gramine_paths import GraminePaths
from ppmlctl.sgx.manifest import read_manifest, sgx_table
from ppmlctl.sgx.manifest_expansion import expand_manifest
from ppmlctl.sgx.measurement import Measurement, measure
from ppmlctl.sgx.template import render_template
from ppmlctl.sgx.toml_places import Places
from ppmlctl.sgx.tree import Tree
from ppmlctl.sgx.trusted_files import trusted_paths

TEMPLATE = "/ppml/bash.manifest.template"
LOADER = "/usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"
THREADS = 1024
"""Default of `G_SGX_THREAD_NUM`."""

_WORKING_FOLDER = "/ppml"
_DEFAULTS: Mapping[str, str | int] = {
    "execdir": "/usr/bin",
    "arch_libdir": "/lib/x86_64-linux-gnu",
    "jdk_home": "/opt/jdk8",
    "spark_home": "/ppml/spark-3.1.3",
    "spark_user": "root",
    "spark_local_ip": "127.0.0.1",
}
"""What the Makefile passes whatever is being built."""


Measure = Callable[[bytes, bytes, GramineVersion], Measurement]
"""`measure`, or one that remembers."""


@dataclass(frozen=True)
class EnclaveChoices:
    """What may be chosen about the enclave of a base image. `size` as Gramine writes sizes, such as 16G."""

    size: str
    log_level: str
    attested: bool
    threads: int = THREADS
    gramine: str = "auto"
    template: str = TEMPLATE
    loader: str = LOADER
    variables: Mapping[str, str] = field(default_factory=dict)
    """More variables of the template, or other values for those of the Makefile."""

    @property
    def paths(self) -> GraminePaths:
        """Gramine's files, found from its loader `…/gramine/sgx/libpal.so`."""
        return GraminePaths(PurePosixPath(self.loader).parent.parent)


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


def rendered_manifest(template: bytes, choices: EnclaveChoices) -> str:
    """The manifest before its trusted files are hashed. Raises ManifestError."""
    text = template.decode(errors="replace")
    if not choices.attested:
        # The template fixes "dcap"; BigDL's build replaces that text, whatever key it stands under.
        text = text.replace('"dcap"', '"none"')
    given: dict[str, str | int] = {"log_level": choices.log_level, "g_sgx_size": choices.size}
    given["g_sgx_thread_num"] = choices.threads
    return render_template(text, {**_DEFAULTS, **given, **choices.variables}, choices.paths)


def needed_paths(manifest: str) -> list[str]:
    """The files and folders of the image that a rendered manifest trusts. Raises ManifestError."""
    return trusted_paths(sgx_table(read_manifest(manifest)).get("trusted_files", []), _WORKING_FOLDER)


def measured_enclave(tree: Tree, choices: EnclaveChoices, measure: Measure = measure) -> MeasuredEnclave:
    """The enclave that the base image in `tree` gives. Raises SgxError, TreeError for what is missing."""
    gramine = detect_gramine(tree) if choices.gramine == "auto" else known_gramine(tree, choices.gramine)
    template = tree.read(choices.template)
    rendered = rendered_manifest(template, choices)
    libos = str(choices.paths.libos)
    manifest_sgx = expand_manifest(rendered, tree, gramine.version, libos=libos, working_folder=_WORKING_FOLDER)
    loader = tree.read(choices.loader)
    return MeasuredEnclave(
        manifest_sgx=manifest_sgx,
        loader=loader,
        gramine=gramine,
        measurement=measure(manifest_sgx, loader, gramine.version),
        findings=findings(read_manifest(manifest_sgx), gramine.version),
        template=template.decode(errors="replace"),
    )
