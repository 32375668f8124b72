"""Whether an SGX quote is genuine, found by this project's own means. `dcap-qvl` refuses those of version 4.

The steps are those of Intel's "SGX ECDSA Quote Library Reference", A.4, and of its quote verification library: root →
PCK → quoting enclave's report → attestation key → the enclave's report, and beside it root → collateral.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ppmlctl.dcap.certificates import Certificate, RevocationList, verify_chain
from ppmlctl.dcap.collateral import Collateral
from ppmlctl.dcap.ecdsa import SIZE_OF_SIGNATURE, is_signed_by, public_key
from ppmlctl.dcap.pck_extension import PlatformLevel, parse_pck_extension
from ppmlctl.dcap.pem import pem_certificates
from ppmlctl.dcap.qe_identity import QeIdentity
from ppmlctl.dcap.quote import SIZE_OF_HEADER, parse_quote
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason
from ppmlctl.dcap.report import SIZE_OF_BODY
from ppmlctl.dcap.signature_data import SignatureData, parse_signature_data
from ppmlctl.dcap.tcb_info import TcbInfo
from ppmlctl.dcap.tcb_status import TcbState, TcbStatus, converge

_INTEL = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""The vendor of Intel's quoting enclaves."""
_ROOT, _AUTHORITY, _PCK, _SIGNER = "SGX Root CA", "CA", "SGX PCK Certificate", "SGX TCB Signing"
"""What the common names of Intel's certificates tell of their roles."""


@dataclass(frozen=True)
class _Trust:
    """What everything is traced back to."""

    root: Certificate
    root_der: bytes
    lists: tuple[RevocationList, ...]
    at: datetime


def verify_enclave_quote(raw: bytes, collateral: Collateral, root: bytes, at: datetime) -> TcbState:
    """The state of the platform that a genuine quote of a production enclave comes from, under the root (DER).

    The caller has looked at the collateral's dates. Raises QuoteError, and QuoteUntrustedError with the reason.
    """
    quote = parse_quote(raw)
    signed = parse_signature_data(quote)
    if quote.header.qe_vendor_id != _INTEL:
        raise QuoteUntrustedError("its quoting enclave's vendor is not Intel", Reason.UNKNOWN_VENDOR)
    trust = _Trust(Certificate.read("the root certificate", root, _ROOT), root, _revocation_lists(collateral), at)
    tcb_info = TcbInfo.parse(collateral.tcb_info)
    _verify_document(trust, "tcb_info", collateral)
    identity = QeIdentity.parse(collateral.qe_identity)
    _verify_document(trust, "qe_identity", collateral)
    pck, platform = _verify_pck(trust, signed)
    _verify_qe_report(pck, signed)
    quoting_enclave = identity.state_of(signed.qe_report)
    _verify_signature(raw[: SIZE_OF_HEADER + SIZE_OF_BODY], signed)
    found = converge(tcb_info.state_of(platform), quoting_enclave)
    if found.status is TcbStatus.REVOKED:
        raise QuoteUntrustedError("the platform's TCB level is revoked", Reason.REVOKED)
    if quote.body.debug:
        raise QuoteUntrustedError("it is in debug mode: its host can read its memory", Reason.DEBUG)
    return found


def _revocation_lists(collateral: Collateral) -> tuple[RevocationList, ...]:
    roles = {"the root's revocation list": collateral.root_ca_crl, "the platforms' revocation list": collateral.pck_crl}
    return tuple(RevocationList.read(what, _hexadecimal(what, text)) for what, text in roles.items())


def _verify_document(trust: _Trust, name: str, collateral: Collateral) -> None:
    """Whether Intel's signer of collateral signed one of the two documents."""
    texts: tuple[str, ...] = tuple(getattr(collateral, f"{name}{end}") for end in ("", "_signature", "_issuer_chain"))
    text, signature, issuers = texts
    try:
        chain = pem_certificates(issuers.encode())
    except QuoteError as error:
        raise _malformed(f"`{name}_issuer_chain`: {error}") from None
    if len(chain) != len(("signer", "root")):
        raise QuoteUntrustedError(f"the chain of {name} is not of two certificates", Reason.CERTIFICATE_WRONG)
    if chain[-1] != trust.root_der:
        raise QuoteUntrustedError(f"the chain of {name} ends in another root certificate", Reason.OTHER_ROOT)
    signer = Certificate.read(f"the certificate of who signed {name}", chain[0], _SIGNER)
    verify_chain((signer, trust.root), trust.lists, trust.at)
    raw = _hexadecimal(f"`{name}_signature`", signature)
    if len(raw) != SIZE_OF_SIGNATURE:
        raise _malformed(f"`{name}_signature` has {len(raw)} bytes, not {SIZE_OF_SIGNATURE}")
    if not is_signed_by(signer.key, raw, text.encode()):
        raise QuoteUntrustedError(f"{name} is not what its signer signed", Reason.COLLATERAL_FORGED)


def _verify_pck(trust: _Trust, signed: SignatureData) -> tuple[Certificate, PlatformLevel]:
    """The platform's certificate, and what it says."""
    pck = Certificate.read("the PCK certificate", signed.certificates[0], _PCK)
    authority = Certificate.read("the certificate of its authority", signed.certificates[1], _AUTHORITY)
    verify_chain((pck, authority, trust.root), trust.lists, trust.at)
    try:
        return pck, parse_pck_extension(pck.sgx_extension())
    except QuoteError as error:
        raise QuoteUntrustedError(str(error), error.reason) from error


def _verify_qe_report(pck: Certificate, signed: SignatureData) -> None:
    """Whether the platform vouches for the quoting enclave, and that one for the attestation key."""
    if not is_signed_by(pck.key, signed.qe_report_signature, signed.qe_report_bytes):
        words = "the quoting enclave's report is not signed by the platform's PCK"
        raise QuoteUntrustedError(words, Reason.QE_REPORT_WRONG)
    bound = hashlib.sha256(signed.attestation_key + signed.qe_authentication).digest()
    if signed.qe_report.report_data[: len(bound)] != bound:
        words = "the quoting enclave's report is for another attestation key"
        raise QuoteUntrustedError(words, Reason.QE_REPORT_WRONG)


def _verify_signature(message: bytes, signed: SignatureData) -> None:
    key = public_key(signed.attestation_key)
    if key is None or not is_signed_by(key, signed.signature, message):
        words = "the quote is not signed by its attestation key"
        raise QuoteUntrustedError(words, Reason.SIGNATURE_WRONG)


def _hexadecimal(what: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _malformed(f"{what} is not in hexadecimal") from None


def _malformed(words: str) -> QuoteUntrustedError:
    return QuoteUntrustedError(f"the collateral cannot be read: {words}", Reason.COLLATERAL_MALFORMED)
