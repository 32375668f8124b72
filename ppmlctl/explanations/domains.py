"""Errors of quoting TDX domains, on the host and inside."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation
from ppmlctl.explanations.quote_provider import DCAP, QUOTE_ERRORS

_DOMAIN = f"{DCAP} QuoteGeneration/quote_wrapper/tdx_quote/inc/td_ql_wrapper.h"
_HOST = "on the TDX host: journalctl -u qgsd says it in [QPL] and [QCNL] lines before; explain these"
_UNEXPECTED = (
    "unexpected error of the host's quote generation service: mostly it has no certificate from the PCCS, or no device"
)
DOMAINS = tuple(
    Explanation(f"TEE_ATT_{name}", cause, remedy, _DOMAIN, 0x11000 | number)
    for number, name, cause, remedy in ((0x01, "ERROR_UNEXPECTED", _UNEXPECTED, _HOST), *QUOTE_ERRORS[1:])
)
"""What quoting a domain gives: the numbers are those of enclaves, in a range of their own."""

_QUOTE = f"{DCAP} QuoteGeneration/quote_wrapper/tdx_attest/tdx_attest.h"
_GUEST_DEVICE = "mount the guest's device (/dev/tdx-guest, /dev/tdx_guest) as /dev/tdx-attest; check cluster.tdx.device"
GUESTS = tuple(
    Explanation(f"TDX_ATTEST_ERROR_{name}", cause, remedy, _QUOTE)
    for name, cause, remedy in (
        ("UNEXPECTED", "unexpected error inside the domain", "read the lines before; then the host's qgsd"),
        ("INVALID_PARAMETER", "the caller gave a wrong parameter", "update libtdx-attest"),
        ("OUT_OF_MEMORY", "memory ran out", "raise the pod's memory"),
        ("VSOCK_FAILURE", "the domain cannot reach its host's quote service over vsock", f"port in the guest; {_HOST}"),
        ("REPORT_FAILURE", "the TDX module gave no report", "look at the guest's kernel: dmesg names the tdx driver"),
        (
            "EXTEND_FAILURE",
            "a measurement register cannot be extended",
            "only registers 2 and 3 can, in a newer kernel",
        ),
        ("NOT_SUPPORTED", "the guest does not support it", "update the guest's kernel and libtdx-attest"),
        ("QUOTE_FAILURE", "the host's quote generation service gave no quote", _HOST),
        ("BUSY", "the device is busy", "try again"),
        ("DEVICE_FAILURE", "the domain's device cannot be opened", _GUEST_DEVICE),
        ("INVALID_RTMR_INDEX", "only measurement registers 2 and 3 can be extended", "choose one of these"),
        ("UNSUPPORTED_ATT_KEY_ID", "the host supports none of the asked attestation keys", "update qgsd on the host"),
    )
)
"""By name alone: their numbers, 1 to 12, are those of other libraries too."""

ROWS = (*DOMAINS, *GUESTS)
