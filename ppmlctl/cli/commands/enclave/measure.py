"""`ppmlctl enclave measure`"""

from __future__ import annotations

from platformdirs import user_cache_path

from ppmlctl.cli.commands.enclave.measured import Inputs, measured, warn_of_findings
from ppmlctl.cli.commands.enclave.view import show
from ppmlctl.sgx import MeasurementCache


def measure(inputs: Inputs, *, as_json: bool) -> None:
    """MRENCLAVE and what else the manifest fixes; its weaknesses are warned of."""
    found = measured(inputs, MeasurementCache(user_cache_path("ppmlctl") / "measurements.json").measure)
    measurement = found.measurement
    details = [{"name": one.name, "found": one.found, "why": one.why} for one in found.findings]
    if not as_json:
        warn_of_findings(found, inputs.manifest)
    show(
        {
            "mr_enclave": measurement.mr_enclave,
            "enclave_size": measurement.enclave_size,
            "threads": measurement.threads,
            "debug": measurement.debug,
            "isv_prod_id": measurement.isv_prod_id,
            "isv_svn": measurement.isv_svn,
            "gramine": found.version.name,
            "findings": details if as_json else [one.name for one in found.findings],
        },
        as_json=as_json,
    )
