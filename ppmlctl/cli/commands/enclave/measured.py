"""The measurement that several commands begin with: manifest, loader and version of Gramine from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ppmlctl.cli.commands.enclave.files import read, warn
from ppmlctl.diagnostics import Diagnostic, InputError, Location, Severity
from ppmlctl.sgx import (
    ContentTree,
    Finding,
    GramineVersion,
    GramineVersionError,
    Measurement,
    Places,
    SgxError,
    detect_gramine,
    findings,
    gramine_version,
    measure,
    parse_offsets,
    read_manifest,
)

AUTO = "auto"
Measure = Callable[[bytes, bytes, GramineVersion], Measurement]
"""`measure`, or one that remembers."""


@dataclass(frozen=True)
class Inputs:
    """What a measurement is computed from; `gramine` is a version or `auto`."""

    manifest: Path
    loader: Path
    gramine: str = AUTO
    offsets: Path | None = None


@dataclass(frozen=True)
class Measured:
    """A measurement with what it was computed from."""

    measurement: Measurement
    version: GramineVersion
    findings: tuple[Finding, ...]
    text: str
    """The manifest."""


def measured(inputs: Inputs, measure: Measure = measure) -> Measured:
    """Measures, by `measure`. Raises InputError: `enclave-file`, `enclave-not-measurable`, `gramine-version`."""
    manifest, loader = read(inputs.manifest), read(inputs.loader)
    version = version_of(inputs.gramine, manifest, inputs.offsets)
    try:
        found = measure(manifest, loader, version)
        weaknesses = findings(read_manifest(manifest), version)
    except SgxError as error:
        raise InputError(not_measurable(error)) from None
    return Measured(found, version, weaknesses, manifest.decode())


def version_of(gramine: str, manifest: bytes, offsets: Path | None) -> GramineVersion:
    """The version that was named, or the one that the manifest's keys tell. Raises `gramine-version`."""
    try:
        named = gramine != AUTO
        version = gramine_version(gramine) if named else detect_gramine(ContentTree({}), manifest).version
        return replace(version, layout=parse_offsets(_text(offsets))) if offsets else version
    except GramineVersionError as error:
        title, fix = "the version of Gramine cannot be used", "name it: --gramine 1.3.1"
        raise InputError(Diagnostic("gramine-version", title, str(error), fix=fix)) from None


def not_measurable(error: SgxError) -> Diagnostic:
    """What cannot be measured, and why."""
    return Diagnostic("enclave-not-measurable", "the enclave cannot be measured", str(error))


def warn_of_findings(found: Measured, manifest: Path) -> None:
    """Says on stderr what the manifest weakens."""
    for diagnostic in _diagnostics(found, manifest):
        warn(diagnostic)


def _diagnostics(found: Measured, manifest: Path) -> Iterator[Diagnostic]:
    places = Places(found.text)
    for finding in found.findings:
        place, title = finding.place(places), "the manifest of the enclave has a weakness"
        at = Location(str(manifest), place.line, place.column, ".".join(finding.key)) if place else None
        yield Diagnostic("enclave-finding", title, finding.found, finding.why, at=at, severity=Severity.WARNING)


def _text(path: Path) -> str:
    return read(path).decode(errors="replace")
