"""Whether a quote is genuine: its signatures up to a root, revocation, and the platform's state of security fixes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TrustRoot(StrEnum):
    """Whose root certificate a quote's chain ends in."""

    INTEL = "intel"
    PRIVATE = "private root"


class QuoteUntrustedError(ValueError):
    """A quote whose chain, signatures or collateral do not hold. Says why in the verifier's words."""


@dataclass(frozen=True)
class QuoteVerdict:
    """What holds of a genuine quote's platform."""

    tcb_status: str
    """Intel's words: `UpToDate`, `OutOfDate`, `ConfigurationNeeded`, `SWHardeningNeeded`…"""
    advisories: tuple[str, ...]
    root: TrustRoot


def verify_quote(quote: bytes, collateral: str, root_ca_pem: bytes | None, at: datetime) -> QuoteVerdict:
    """Verifies a quote with `dcap-qvl`, at an instant, against Intel's root or the given one.

    `collateral` is the JSON document of dcap-qvl's QuoteCollateralV3 (what a PCCS gives, in one piece).
    Raises QuoteUntrustedError where any part does not hold, the collateral has run out, or the platform is revoked.
    """
    import dcap_qvl  # noqa: PLC0415 - a native library; plan must not pay for it

    now = int(at.timestamp())
    try:
        parsed = dcap_qvl.QuoteCollateralV3.from_json(collateral)
        if root_ca_pem is None:
            report = dcap_qvl.verify(quote, parsed, now)
        else:
            report = dcap_qvl.verify_with_root_ca(quote, parsed, _der(root_ca_pem), now)
    except ValueError as error:
        raise QuoteUntrustedError(str(error)) from error
    root = TrustRoot.INTEL if root_ca_pem is None else TrustRoot.PRIVATE
    return QuoteVerdict(report.status, tuple(report.advisory_ids), root)


def _der(certificate_pem: bytes) -> bytes:
    from cryptography import x509  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - the same

    return x509.load_pem_x509_certificate(certificate_pem).public_bytes(Encoding.DER)
