"""Lines of the images' logs that mean something (upstream's scripts and guide)."""

from __future__ import annotations

import re

ENCLAVE_STARTED = "Gramine is starting"
"""What Gramine's loader says before anything else runs in the enclave."""
ATTESTED = "Attestation Success!"
OUTDATED = "WARNING: Attestation pass but BIOS or the software is out of date."

_REFUSED_ACCOUNT = r'JA?SONObject\["sign"\]'

_FAILURES = {
    r"/ppml/bash\.sig is not ready": "the image is not signed",
    r"both /dev/sgx\S+ /dev/sgx\S+ are not ready": "there is no SGX device",
    r"ppmlctl: no enclave: init\.sh failed": "the enclave was not started",
    r"\[ERROR\] Attestation is enabled, but .* is empty!": "a variable of the attestation is not set",
    r"\[ERROR\] Distributed encrypted filesystem is enabled, but .* is empty!": "a variable of the encrypted folder is "
    "not set",
    r"Attestation Fail! Application killed!": "the attestation was refused",
    r"ERROR:Attestation Fail! In debug mode, continue\.": "the attestation was refused, and debug mode ran on",
    r'JA?SONObject\["result"\] is not a JA?SONObject': "EHSM refused the enclave: its policy is of another one",
    _REFUSED_ACCOUNT: "EHSM does not know the account or the policy, or the key is wrong",
    r"ppmlctl: \S+ began this run; it does not begin again": "the pod that ran it is gone",
}
"""Said by images whose exit status may be 0 all the same."""
DEBUG_FAILURE = _FAILURES[r"ERROR:Attestation Fail! In debug mode, continue\."]


def failures_in(log: str) -> list[str]:
    """What known failure lines in the log mean, each once."""
    return [meaning for pattern, meaning in _FAILURES.items() if re.search(pattern, log)]


def tells_refused_account(log: str) -> bool:
    """Whether EHSM refused account, key or policy, which of them it does not say."""
    return re.search(_REFUSED_ACCOUNT, log) is not None
