"""`ppmlctl enclave inspect`"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from ppmlctl.cli.commands.enclave.files import read, sigstruct_of
from ppmlctl.cli.commands.enclave.measured import AUTO, not_measurable
from ppmlctl.cli.commands.enclave.places import Names, enclave_of_image, enclave_of_layout
from ppmlctl.cli.commands.enclave.view import Value, show
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.sgx import Enclave, SgxError, Sigstruct, SigstructError


@dataclass(frozen=True)
class Source:
    """Where the SIGSTRUCT is: exactly one of a file, an image at the Docker engine and an OCI layout."""

    file: Path | None = None
    image: str | None = None
    layout: Path | None = None


def inspect(source: Source, path: str, *, as_json: bool) -> None:
    """What a SIGSTRUCT says. Ends with 1 where it is not valid, or not for the manifest and loader beside it."""
    enclave, name = _enclave(source, path)
    if enclave.sigstruct is None:
        title, found = "there is no SIGSTRUCT in the image", f"{name} has no {path}"
        raise InputError(Diagnostic("sigstruct-missing", title, found, fix="sign it: ppmlctl enclave sign"))
    broken, measured = _broken(enclave.sigstruct), _measured(enclave)
    told = _told(enclave.sigstruct, broken)
    if source.file is None:
        told |= {"measured": measured, "measurement_matches": None if measured is None else measured == enclave.signed}
    show(told, as_json=as_json)
    if broken or (measured is not None and measured != enclave.signed):
        raise typer.Exit(1)


def _enclave(source: Source, path: str) -> tuple[Enclave, str]:
    given = [one for one in (source.file, source.image, source.layout) if one is not None]
    if len(given) != 1:
        title, found = "one SIGSTRUCT is wanted", f"{len(given) or 'none'} {'are' if given else 'is'} named"
        raise InputError(Diagnostic("usage", title, found, fix="name a file, or --image REF, or --layout FOLDER"))
    if source.image is not None:
        return enclave_of_image(source.image, Names(path), AUTO), source.image
    if source.layout is not None:
        return enclave_of_layout(source.layout, Names(path), AUTO), str(source.layout)
    file = Path(str(source.file))
    return Enclave(sigstruct=sigstruct_of(read(file), str(file))), str(file)


def _broken(sigstruct: Sigstruct) -> list[str]:
    try:
        sigstruct.verify()
    except SigstructError as error:
        return list(error.broken)
    return []


def _measured(enclave: Enclave) -> str | None:
    try:
        return enclave.measured()
    except SgxError as error:
        raise InputError(not_measurable(error)) from None


def _told(sigstruct: Sigstruct, broken: list[str]) -> dict[str, Value]:
    a = sigstruct.attributes
    return {
        "mr_enclave": sigstruct.mr_enclave,
        "mr_signer": sigstruct.mr_signer,
        "isv_prod_id": sigstruct.isv_prod_id,
        "isv_svn": sigstruct.isv_svn,
        "debug": a.is_debug,
        "date": str(sigstruct.date) if sigstruct.date else None,
        "signature_valid": not broken,
        "broken": list(broken),
        "attributes": {
            "flags": f"{a.flags:#018x}",
            "flags_mask": f"{a.flags_mask:#018x}",
            "xfrm": f"{a.xfrm:#018x}",
            "xfrm_mask": f"{a.xfrm_mask:#018x}",
            "misc_select": f"{a.misc_select:#010x}",
            "misc_mask": f"{a.misc_mask:#010x}",
        },
    }
