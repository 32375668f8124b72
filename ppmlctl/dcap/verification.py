"""Whether a quote is genuine: its signatures up to a root, revocation, and the platform's state of security fixes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ppmlctl.dcap.collateral import Collateral
from ppmlctl.dcap.quote import TEE_SGX, VERSION, Quote, parse_quote, tee_name
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason
from ppmlctl.dcap.signature_data import SignatureData, parse_signature_data

_INTEL_ROOT = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
"""SHA-256 of the Intel SGX Root CA's certificate (certificates.trustedservices.intel.com)."""

_WORDS = (
    ("Failed to parse JSON", Reason.COLLATERAL_MALFORMED),
    ("Failed to decode TcbInfo", Reason.COLLATERAL_MALFORMED),
    ("Failed to decode QeIdentity", Reason.COLLATERAL_MALFORMED),
    ("Failed to decode TCB FMSPC", Reason.COLLATERAL_MALFORMED),
    ("Failed to parse TCB Info", Reason.COLLATERAL_MALFORMED),
    ("Failed to parse QE Identity", Reason.COLLATERAL_MALFORMED),
    ("ECDSA signature sequence", Reason.COLLATERAL_MALFORMED),
    ("component count mismatch", Reason.COLLATERAL_MALFORMED),
    ("Invalid key length", Reason.COLLATERAL_MALFORMED),
    ("InvalidCrlSignature", Reason.COLLATERAL_FORGED),
    ("UnknownRevocationStatus", Reason.COLLATERAL_MISMATCH),
    ("CRL", Reason.COLLATERAL_MALFORMED),
    ("ISV enclave report signature", Reason.SIGNATURE_WRONG),
    ("qe_report in quote", Reason.QE_REPORT_WRONG),
    ("QE report hash", Reason.QE_REPORT_WRONG),
    ("QE auth data length", Reason.QE_REPORT_WRONG),
    ("tcb_info in quote_collateral", Reason.COLLATERAL_FORGED),
    ("qe_identity in quote_collateral", Reason.COLLATERAL_FORGED),
    ("QE Identity id/version", Reason.COLLATERAL_MISMATCH),
    ("TCB info in the collateral", Reason.COLLATERAL_MISMATCH),
    ("Fmspc mismatch", Reason.COLLATERAL_MISMATCH),
    ("TDX module", Reason.TDX_MODULE_WRONG),
    ("CertExpired", Reason.OUTSIDE_VALIDITY),
    ("CertNotValidYet", Reason.OUTSIDE_VALIDITY),
    ("CertRevoked", Reason.REVOKED),
    ("invalid: Revoked", Reason.REVOKED),
    ("Debug mode", Reason.DEBUG),
    ("TD attributes", Reason.TD_ATTRIBUTES_WRONG),
    ("SEPT_VE_DISABLE", Reason.TD_ATTRIBUTES_WRONG),
    ("MR service TD", Reason.TD_ATTRIBUTES_WRONG),
    ("No matching TCB level", Reason.TCB_UNKNOWN),
    ("QE vendor", Reason.UNKNOWN_VENDOR),
    ("must have version", Reason.UNSUPPORTED_VERSION),
    ("certificate chain", Reason.CERTIFICATE_WRONG),
    ("PCK certificate", Reason.CERTIFICATE_WRONG),
    ("QE ", Reason.QE_IDENTITY_WRONG),
)
"""What dcap-qvl says, first match counts. Its words are no promise; what is not found here is `not-genuine`."""


class TrustRoot(StrEnum):
    """Whose root certificate a quote's chain ends in."""

    INTEL = "intel"
    PRIVATE = "private root"


@dataclass(frozen=True)
class QuoteVerdict:
    """What holds of a genuine quote's platform."""

    tcb_status: str
    """Intel's words: `UpToDate`, `OutOfDate`, `ConfigurationNeeded`, `SWHardeningNeeded`…"""
    advisories: tuple[str, ...]
    root: TrustRoot


Verifier = Callable[[bytes, Collateral, bytes | None, datetime], QuoteVerdict]
"""Takes a quote, collateral, a root in DER or None for Intel's, and an instant. Raises QuoteUntrustedError."""


def verify_quote(
    raw: bytes, collateral: str, root_ca_pem: bytes | None, at: datetime, verify: Verifier | None = None
) -> QuoteVerdict:
    """Verifies a quote at an instant, up to Intel's root or the given one. Debug enclaves are never genuine.

    `collateral` is the JSON document that `Collateral` reads. Raises QuoteUntrustedError with the reason where any part
    does not hold, has run out, or is revoked. Form, root, the collateral's dates and its fit are looked at here, so
    that their faults are told in plain words; then the whole is verified: by the verifier given, else by `dcap-qvl`,
    except for SGX quotes of version 4, which it refuses and `verify_enclave_quote` verifies.
    """
    try:
        quote = parse_quote(raw)
        signed = parse_signature_data(quote)
    except QuoteError as error:
        raise QuoteUntrustedError(str(error), error.reason) from error
    found = Collateral.parse(collateral)
    root = None if root_ca_pem is None else read_root(root_ca_pem)
    _check_root(signed, found, root)
    _check_validity(found, at)
    _check_fit(quote, found)
    return (verify or _verifier_of(quote))(raw, found, root, at)


def read_root(pem: bytes) -> bytes:
    """A root certificate in DER. Raises QuoteUntrustedError for what is no certificate in PEM."""
    from cryptography import x509  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - slow to load

    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except (ValueError, x509.InvalidVersion):
        raise QuoteUntrustedError("the root given is no certificate in PEM", Reason.OTHER_ROOT) from None


def _check_root(signed: SignatureData, collateral: Collateral, root: bytes | None) -> None:
    wanted = _INTEL_ROOT if root is None else hashlib.sha256(root).hexdigest()
    name = "Intel's" if root is None else "the one given"
    for what, certificate in (("the quote's chain", signed.certificates[-1]), ("the collateral", collateral.root())):
        shown = hashlib.sha256(certificate).hexdigest()
        if shown != wanted:
            words = f"{what} ends in the root certificate {shown[:16]}…, which is not {name}, {wanted[:16]}…"
            raise QuoteUntrustedError(words, Reason.OTHER_ROOT)


def _check_validity(collateral: Collateral, at: datetime) -> None:
    for part in collateral.validities():
        if at < part.begins:
            words = f"{part.what} begins at {part.begins:%Y-%m-%dT%H:%M:%SZ}, which is after {at:%Y-%m-%dT%H:%M:%SZ}"
            raise QuoteUntrustedError(words, Reason.OUTSIDE_VALIDITY)
        if at > part.ends:
            words = f"{part.what} ended at {part.ends:%Y-%m-%dT%H:%M:%SZ}, which is before {at:%Y-%m-%dT%H:%M:%SZ}"
            raise QuoteUntrustedError(words, Reason.OUTSIDE_VALIDITY)


def _check_fit(quote: Quote, collateral: Collateral) -> None:
    tee = tee_name(quote.header)
    if collateral.tee != tee:
        words = f"the collateral is for {collateral.tee} quotes, and this is one of {tee}"
        raise QuoteUntrustedError(words, Reason.COLLATERAL_MISMATCH)


def _verifier_of(quote: Quote) -> Verifier:
    header = quote.header
    return verified_here if (header.tee_type == TEE_SGX and header.version != VERSION) else verified_by_dcap_qvl


def verified_here(raw: bytes, collateral: Collateral, root: bytes | None, at: datetime) -> QuoteVerdict:
    """A `Verifier` of SGX quotes."""
    from ppmlctl.dcap.enclave_verification import verify_enclave_quote  # noqa: PLC0415 - loads cryptography, slowly

    trusted = root or collateral.root()  # which has been compared with Intel's
    found = verify_enclave_quote(raw, collateral, trusted, at)
    return QuoteVerdict(found.status, found.advisories, _whose(root))


def verified_by_dcap_qvl(raw: bytes, collateral: Collateral, root: bytes | None, at: datetime) -> QuoteVerdict:
    """A `Verifier` of all but SGX quotes of version 4."""
    import dcap_qvl  # noqa: PLC0415 - a native library; plan must not pay for it

    try:
        parsed = dcap_qvl.QuoteCollateralV3.from_json(collateral.to_json())
        now = int(at.timestamp())
        if root is None:
            report = dcap_qvl.verify(raw, parsed, now)
        else:
            report = dcap_qvl.verify_with_root_ca(raw, parsed, root, now)
    except (ValueError, OverflowError) as error:  # the latter for an instant before 1970
        words = " ".join(str(error).removeprefix("Verification failed: ").split())
        reason = next((reason for part, reason in _WORDS if part in words), Reason.NOT_GENUINE)
        raise QuoteUntrustedError(words, reason) from error
    return QuoteVerdict(report.status, tuple(report.advisory_ids), _whose(root))


def _whose(root: bytes | None) -> TrustRoot:
    return TrustRoot.INTEL if root is None else TrustRoot.PRIVATE
