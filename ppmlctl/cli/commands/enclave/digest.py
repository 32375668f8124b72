"""`ppmlctl enclave digest`"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from ppmlctl.cli.commands.enclave.files import write
from ppmlctl.cli.commands.enclave.measured import Inputs, measured, warn_of_findings
from ppmlctl.cli.commands.enclave.view import show
from ppmlctl.sgx import Sigstruct


def digest(inputs: Inputs, day: dt.date, output: Path, *, as_json: bool) -> None:
    """Measures, and writes the 256 bytes that a signer elsewhere signs."""
    found = measured(inputs)
    warn_of_findings(found, inputs.manifest)
    part = Sigstruct.unsigned(found.measurement, found.version, day).signed_part()
    write(output, part)
    told = {"mr_enclave": found.measurement.mr_enclave, "gramine": found.version.name}
    show({**told, "sha256": hashlib.sha256(part).hexdigest(), "output": str(output)}, as_json=as_json)
