"""Why two enclaves differ: which key of the manifest, which trusted file, what of the loader, which constants.

Two MRENCLAVEs are two hashes and say nothing; what went into them does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.loader_comparison import loader_differences
from ppmlctl.sgx.manifest_comparison import manifest_differences
from ppmlctl.sgx.measurement import measure
from ppmlctl.sgx.sigstruct import Sigstruct


class Part(StrEnum):
    """Where a difference lies."""

    MANIFEST = "manifest"
    TRUSTED_FILE = "trusted file"
    LOADER = "loader"
    GRAMINE = "gramine"
    SIGSTRUCT = "sigstruct"


@dataclass(frozen=True)
class Difference:
    """One. `before` and `after` are None where there is nothing; lines count from 1, None where there is none.

    `measured` tells whether it changes MRENCLAVE.
    """

    part: Part
    name: str
    before: str | None
    after: str | None
    lines: tuple[int | None, int | None] = (None, None)
    measured: bool = True


@dataclass(frozen=True)
class Enclave:
    """What is known of one enclave; at least a SIGSTRUCT, or a manifest with loader and version."""

    manifest_sgx: bytes | None = None
    loader: bytes | None = None
    version: GramineVersion | None = None
    sigstruct: Sigstruct | None = None

    def measured(self) -> str | None:
        """MRENCLAVE recomputed, None where something for it is missing. Raises SgxError as `measure`."""
        if self.manifest_sgx is None or self.loader is None or self.version is None:
            return None
        return measure(self.manifest_sgx, self.loader, self.version).mr_enclave

    @property
    def signed(self) -> str | None:
        """MRENCLAVE that the SIGSTRUCT states."""
        return self.sigstruct.mr_enclave if self.sigstruct else None


def differences(before: Enclave, after: Enclave) -> tuple[Difference, ...]:
    """All that is known to differ, in the order of what is measured first. Raises ManifestError, LoaderError."""
    return tuple(_differences(before, after))


def _differences(before: Enclave, after: Enclave) -> Iterator[Difference]:
    if before.manifest_sgx is not None and after.manifest_sgx is not None:
        for found in manifest_differences(before.manifest_sgx, after.manifest_sgx):
            part = Part.TRUSTED_FILE if found.trusted_file else Part.MANIFEST
            yield Difference(part, found.name, found.before, found.after, found.lines)
    if before.loader is not None and after.loader is not None:
        for one in loader_differences(before.loader, after.loader):
            yield Difference(Part.LOADER, one.name, one.before, one.after, measured=one.measured)
    if before.version is not None and after.version is not None:
        yield from _of_versions(before.version, after.version)
    if before.sigstruct is not None and after.sigstruct is not None:
        yield from _of_sigstructs(before.sigstruct, after.sigstruct)


def _of_versions(before: GramineVersion, after: GramineVersion) -> Iterator[Difference]:
    if before.release != after.release:
        yield Difference(Part.GRAMINE, "version", before.name, after.name)
    constants = asdict(after.layout)
    for name, value in asdict(before.layout).items():
        if value != constants[name]:
            yield Difference(Part.GRAMINE, name, f"{value:#x}", f"{constants[name]:#x}")


def _of_sigstructs(before: Sigstruct, after: Sigstruct) -> Iterator[Difference]:
    fields = _statements(after)
    for name, value in _statements(before).items():
        if value != fields[name]:
            yield Difference(Part.SIGSTRUCT, name, value, fields[name], measured=False)


def _statements(sigstruct: Sigstruct) -> dict[str, str]:
    attributes = {name: f"{value:#x}" for name, value in asdict(sigstruct.attributes).items()}
    return {
        "mr_enclave": sigstruct.mr_enclave,
        "mr_signer": sigstruct.mr_signer,
        "isv_prod_id": str(sigstruct.isv_prod_id),
        "isv_svn": str(sigstruct.isv_svn),
        "date": str(sigstruct.date),
        **attributes,
    }
