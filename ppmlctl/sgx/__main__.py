"""`python -m ppmlctl.sgx`: recompute a measurement with nothing but the files, on any machine with Python."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ppmlctl.sgx.errors import SgxError
from ppmlctl.sgx.gramine import GramineVersion, gramine_version
from ppmlctl.sgx.layout import Layout, parse_offsets
from ppmlctl.sgx.measurement import measure
from ppmlctl.sgx.sigstruct import Sigstruct


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints one JSON object to stdout; what is wrong goes to stderr, and the status is 1."""
    options = _parser().parse_args(arguments)
    try:
        answer = _measured(options) if options.command == "measure" else _shown(options)
    except (OSError, SgxError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ppmlctl.sgx", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="compute MRENCLAVE")
    measuring.add_argument("--manifest", type=Path, required=True, help="the .manifest.sgx file")
    measuring.add_argument("--loader", type=Path, required=True, help="Gramine's sgx/libpal.so of the same image")
    measuring.add_argument("--gramine", required=True, metavar="VERSION", help="such as 1.3.1 or 1.7")
    measuring.add_argument("--offsets", type=Path, help="the image's _offsets.py, where Gramine is a fork")
    showing = commands.add_parser("sigstruct", help="show and verify a .sig file")
    showing.add_argument("--sig", type=Path, required=True, help="the .sig file")
    return parser


def _measured(options: argparse.Namespace) -> dict[str, object]:
    layout = parse_offsets(options.offsets.read_text()) if options.offsets else Layout()
    version = GramineVersion(gramine_version(options.gramine).name, layout)
    result = measure(options.manifest.read_bytes(), options.loader.read_bytes(), version)
    return {
        "mr_enclave": result.mr_enclave,
        "enclave_size": result.enclave_size,
        "threads": result.threads,
        "debug": result.debug,
        "isv_prod_id": result.isv_prod_id,
        "isv_svn": result.isv_svn,
    }


def _shown(options: argparse.Namespace) -> dict[str, object]:
    sigstruct = Sigstruct.from_bytes(options.sig.read_bytes())
    sigstruct.verify()
    return {
        "mr_enclave": sigstruct.mr_enclave,
        "mr_signer": sigstruct.mr_signer,
        "debug": sigstruct.attributes.is_debug,
        "isv_prod_id": sigstruct.isv_prod_id,
        "isv_svn": sigstruct.isv_svn,
        "date": sigstruct.date.isoformat() if sigstruct.date else None,
    }


if __name__ == "__main__":
    sys.exit(main())
