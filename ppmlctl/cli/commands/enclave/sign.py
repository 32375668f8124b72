"""`ppmlctl enclave sign`"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ppmlctl.cli.commands.enclave.files import signing_key, write
from ppmlctl.cli.commands.enclave.measured import Inputs, measured, warn_of_findings
from ppmlctl.cli.commands.enclave.view import show
from ppmlctl.sgx import Sigstruct


def sign(inputs: Inputs, key: Path, day: dt.date, output: Path, *, as_json: bool) -> None:
    """Measures, signs with a key file and writes the 1808 bytes; weaknesses are warned of, whatever the format."""
    found = measured(inputs)
    warn_of_findings(found, inputs.manifest)
    signed = Sigstruct.unsigned(found.measurement, found.version, day).signed_by(signing_key(key))
    write(output, signed.to_bytes())
    told = {"mr_enclave": signed.mr_enclave, "mr_signer": signed.mr_signer, "gramine": found.version.name}
    show({**told, "date": str(day), "output": str(output)}, as_json=as_json)
