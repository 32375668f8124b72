"""`ppmlctl enclave …`"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import typer

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.sgx import Layout, Measurement, SgxError, parse_offsets
from ppmlctl.sgx import measure as measurement_of
from ppmlctl.sgx.gramine import GramineVersion, gramine_version


@dataclass(frozen=True)
class Files:
    """What a measurement is computed from."""

    manifest: Path
    loader: Path
    offsets: Path | None = None


def measure(files: Files, gramine: str, *, as_json: bool) -> None:
    """MRENCLAVE and what else the manifest fixes."""
    try:
        found = _measured(files, gramine)
    except OSError as error:
        found_as = f"{error.filename}: {error.strerror}"
        raise InputError(Diagnostic("enclave-file", "a file cannot be read", found=found_as)) from None
    except SgxError as error:
        raise InputError(Diagnostic("enclave-not-measurable", "the enclave cannot be measured", str(error))) from None
    told = {
        "mr_enclave": found.mr_enclave,
        "enclave_size": found.enclave_size,
        "threads": found.threads,
        "debug": found.debug,
        "isv_prod_id": found.isv_prod_id,
        "isv_svn": found.isv_svn,
    }
    if as_json:
        typer.echo(json.dumps(told))
    else:
        typer.echo("\n".join(f"{name:<13} {value}" for name, value in told.items()))


def _measured(files: Files, gramine: str) -> Measurement:
    layout = parse_offsets(files.offsets.read_text()) if files.offsets else Layout()
    version = GramineVersion(gramine_version(gramine).name, layout)
    return measurement_of(files.manifest.read_bytes(), files.loader.read_bytes(), version)
