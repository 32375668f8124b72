"""Rules for the enclave."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.sgx.findings import INSECURE, NAMES
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest


def findings_have_known_names(environment: Environment) -> Iterator[Finding]:
    """A misspelt name would leave its finding at `warn`. Settings that Gramine calls insecure are open-ended."""
    for name in environment.enclave.findings:
        if not name.startswith(INSECURE) and name not in NAMES:
            title, fix = "there is no such finding", nearest(name, (*NAMES, f"{INSECURE}…"))
            yield Finding(("enclave", "findings", name), "unknown-finding", title, name, fix=fix, at_key=True)
