"""Certificates of quotes and collateral: who issued them, when they may be used, and whether they are revoked.

Rules: RFC 5280, narrowed to what Intel's "SGX PCK Certificate and Certificate Revocation List Profile Specification"
has: version 3, P-256 with SHA-256 throughout, and no critical extensions but basic constraints and key usage.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ppmlctl.dcap.pck_extension import OID
from ppmlctl.dcap.refusal import QuoteUntrustedError, Reason

_UNREADABLE = (
    ValueError,
    TypeError,
    UserWarning,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_ONE_AT_A_TIME = threading.Lock()
_CRITICAL = (x509.BasicConstraints, x509.KeyUsage)
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Certificate:
    """A certificate that has been read; whose it is, `verify_chain` tells."""

    what: str
    """Its role, in words."""
    document: x509.Certificate
    key: ec.EllipticCurvePublicKey
    extensions: x509.Extensions

    @classmethod
    def read(cls, what: str, der: bytes, role: str) -> Self:
        """Reads one whose common name must tell the role. Raises QuoteUntrustedError."""
        try:
            with _strictly():
                document = x509.load_der_x509_certificate(der)
                key, extensions = document.public_key(), document.extensions
                names = [str(one.value) for one in document.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
                by = document.signature_hash_algorithm
        except _UNREADABLE:
            raise _wrong(f"{what} cannot be read") from None
        if not _ends_with(der, document.signature):
            raise _wrong(f"the signature of {what} is not whole bytes")
        if document.version is not x509.Version.v3 or not isinstance(by, hashes.SHA256):
            raise _wrong(f"{what} is not of version 3 with a signature over SHA-256")
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise _wrong(f"{what} is not for a key of P-256")
        if not any(role in name for name in names):
            raise _wrong(f"{what} is not in the name of an {role}")
        if any(one.critical and not isinstance(one.value, _CRITICAL) for one in extensions):
            raise _wrong(f"{what} has a critical extension that is unknown here")
        return cls(what, document, key, extensions)

    def sgx_extension(self) -> bytes:
        """The extension about the platform. Raises QuoteUntrustedError where there is none."""
        for one in self.extensions:
            if one.oid.dotted_string == OID and isinstance(one.value, x509.UnrecognizedExtension):
                return one.value.value
        raise _wrong(f"{self.what} does not say which platform it is of")

    def require_current(self, at: datetime) -> None:
        """Raises QuoteUntrustedError outside its time."""
        begins, ends = self.document.not_valid_before_utc, self.document.not_valid_after_utc
        if not begins <= at <= ends:
            words = f"{self.what} is valid from {begins:{_FORM}} to {ends:{_FORM}}, not at {at:{_FORM}}"
            raise QuoteUntrustedError(words, Reason.OUTSIDE_VALIDITY)

    def require_authority(self, below: int) -> None:
        """Raises QuoteUntrustedError where it may not issue with so many authorities below it."""
        constraints = self._extension(x509.BasicConstraints)
        if constraints is None or not constraints.ca:
            raise _wrong(f"{self.what} is that of no authority")
        if constraints.path_length is not None and below > constraints.path_length:
            raise _wrong(f"{self.what} allows no authority below it")
        usage = self._extension(x509.KeyUsage)
        if usage is not None and not (usage.key_cert_sign and usage.crl_sign):
            raise _wrong(f"{self.what} is not for issuing certificates and revocation lists")

    def require_leaf(self) -> None:
        """Raises QuoteUntrustedError where it is that of an authority."""
        constraints = self._extension(x509.BasicConstraints)
        if constraints is not None and constraints.ca:
            raise _wrong(f"{self.what} is that of an authority")

    def require_issued_by(self, issuer: Certificate) -> None:
        """Raises QuoteUntrustedError where the names or the signature do not say so."""
        try:
            self.document.verify_directly_issued_by(issuer.document)
        except (InvalidSignature, *_UNREADABLE):
            raise _wrong(f"{self.what} was not issued by {issuer.what}") from None

    def _extension(self, kind: type[_Kind]) -> _Kind | None:
        return next((one.value for one in self.extensions if isinstance(one.value, kind)), None)


@dataclass(frozen=True)
class RevocationList:
    """A list that has been read; whose it is, is told where it is used."""

    what: str
    document: x509.CertificateRevocationList

    @classmethod
    def read(cls, what: str, der: bytes) -> Self:
        """Reads a list over all certificates of its issuer. Raises QuoteUntrustedError."""
        try:
            with _strictly():
                document = x509.load_der_x509_crl(der)
                critical = [one for one in document.extensions if one.critical]
                critical += [one for entry in document for one in entry.extensions if one.critical]
        except _UNREADABLE:
            raise _malformed(f"{what} cannot be read") from None
        if not _ends_with(der, document.signature):
            raise _malformed(f"the signature of {what} is not whole bytes")
        if critical:  # it would not be such a list, or speak of certificates of others
            raise _malformed(f"{what} has a critical extension that is unknown here")
        return cls(what, document)

    def is_of(self, certificate: Certificate) -> bool:
        """Whether it is by the certificate's issuer, by name."""
        return self.document.issuer == certificate.document.issuer

    def require_clear(self, certificate: Certificate, issuer: Certificate) -> None:
        """Raises QuoteUntrustedError where the list is not the issuer's, or has the certificate on it."""
        try:
            genuine = self.document.is_signature_valid(issuer.key)
        except _UNREADABLE:
            genuine = False
        if not genuine:
            raise QuoteUntrustedError(f"{self.what} was not signed by {issuer.what}", Reason.COLLATERAL_FORGED)
        if self.document.get_revoked_certificate_by_serial_number(certificate.document.serial_number) is not None:
            raise QuoteUntrustedError(f"{certificate.what} is revoked", Reason.REVOKED)


def verify_chain(chain: Sequence[Certificate], lists: Sequence[RevocationList], at: datetime) -> None:
    """From one that signs to the root, which is trusted already. Raises QuoteUntrustedError.

    The lists' own dates are the caller's to look at.
    """
    chain[0].require_leaf()
    for below, (one, issuer) in enumerate(pairwise(chain)):
        issuer.require_authority(below)
        one.require_issued_by(issuer)
    for one, issuer in pairwise([*chain, chain[-1]]):
        one.require_current(at)
        _require_not_revoked(one, issuer, lists)


def _require_not_revoked(one: Certificate, issuer: Certificate, lists: Sequence[RevocationList]) -> None:
    found = [each for each in lists if each.is_of(one)]
    if not found:
        words = f"no revocation list of the collateral is by the issuer of {one.what}"
        raise QuoteUntrustedError(words, Reason.COLLATERAL_MISMATCH)
    for each in found:
        each.require_clear(one, issuer)


@contextmanager
def _strictly() -> Iterator[None]:
    """What the library still reads with a warning, such as a serial number below zero, is an error."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():  # which is not safe for threads by itself
        warnings.simplefilter("error", UserWarning)
        yield


def _ends_with(der: bytes, signature: bytes) -> bool:
    """Whether the document ends with a bit string of this signature that leaves no bit unused (X.690, 8.6.2.2).

    The library passes over a count of unused bits where those are zero, and no signature covers the count.
    """
    return der.endswith(b"\0" + signature)


def _wrong(words: str) -> QuoteUntrustedError:
    return QuoteUntrustedError(words, Reason.CERTIFICATE_WRONG)


def _malformed(words: str) -> QuoteUntrustedError:
    return QuoteUntrustedError(f"the collateral cannot be read: {words}", Reason.COLLATERAL_MALFORMED)
