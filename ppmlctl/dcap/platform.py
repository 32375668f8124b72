"""For which platform collateral is asked of a PCCS: what a quote's own certificate says."""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.dcap.quote import parse_quote, tee_name
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason
from ppmlctl.dcap.signature_data import parse_signature_data


@dataclass(frozen=True)
class PlatformFamily:
    """What TCB levels and revocation lists are kept by."""

    tee: str
    """`sgx` or `tdx`."""
    fmspc: str
    """Family, model, stepping and platform, in upper-case hexadecimal."""
    ca: str
    """Whose certificate the PCK is: `processor` or `platform`."""


def platform_of(raw: bytes) -> PlatformFamily:
    """The platform that a quote names; nothing of it is verified. Raises QuoteUntrustedError."""
    import dcap_qvl  # noqa: PLC0415 - a native library; not every command needs it

    try:
        quote = parse_quote(raw)
        parse_signature_data(quote)
        found = dcap_qvl.parse_quote(raw)
        return PlatformFamily(tee_name(quote.header).lower(), found.fmspc(), found.ca())
    except QuoteError as error:
        raise QuoteUntrustedError(str(error), error.reason) from error
    except ValueError as error:
        words = f"its PCK certificate names no platform: {' '.join(str(error).split())}"
        raise QuoteUntrustedError(words, Reason.CERTIFICATE_WRONG) from error
