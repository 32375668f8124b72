"""What a verifier needs besides a quote: TCB levels, the quoting enclave's identity, revocation lists, their issuers.

One JSON document, as dcap-qvl writes it. Forms of its parts: Intel's "SGX and TDX Provisioning Certification Service
API".
"""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from ppmlctl.dcap.pem import pem_certificates
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason


@dataclass(frozen=True)
class Validity:
    """From when to when one part may be used."""

    what: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Collateral:
    """Chains are PEM, revocation lists and signatures hexadecimal, the two documents JSON text as it was signed."""

    pck_crl_issuer_chain: str
    root_ca_crl: str
    pck_crl: str
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: str
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the document; members that are not known are left out. Raises QuoteUntrustedError."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise _malformed("it is no JSON") from None
        if not isinstance(document, dict):
            raise _malformed("it is no JSON object")
        found: dict[str, str] = {}
        for field in fields(cls):
            value = document.get(field.name)
            if not isinstance(value, str) or not _is_unicode(value):
                raise _malformed(f"`{field.name}` is missing, or no text")
            found[field.name] = value
        return cls(**found)

    def to_json(self) -> str:
        """The document; the same bytes for the same collateral."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the document, by which copies are told apart."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def tee(self) -> str:
        """`SGX` or `TDX`: for which kind of quotes the TCB levels are."""
        return str(_member(self.tcb_info, "id"))

    @property
    def fmspc(self) -> str:
        """The family of processors that it is for, in upper-case hexadecimal."""
        return str(_member(self.tcb_info, "fmspc")).upper()

    def root(self) -> bytes:
        """The last certificate of those who signed the TCB levels, in DER. Raises QuoteUntrustedError."""
        try:
            return pem_certificates(self.tcb_info_issuer_chain.encode())[-1]
        except QuoteError as error:
            raise _malformed(f"`tcb_info_issuer_chain`: {error}") from None

    def root_pem(self) -> bytes:
        """The same in PEM: whose it is, nobody has said. Raises QuoteUntrustedError."""
        return ssl.DER_cert_to_PEM_cert(self.root()).encode()

    def validities(self) -> Iterator[Validity]:
        """When each part may be used. Raises QuoteUntrustedError."""
        for name, words in (("tcb_info", "the TCB levels"), ("qe_identity", "the quoting enclave's identity")):
            text = getattr(self, name)
            yield Validity(words, *(_instant(_member(text, key)) for key in ("issueDate", "nextUpdate")))
        for name, words in (("root_ca_crl", "the root's"), ("pck_crl", "the platforms'")):
            yield _validity_of_list(f"{words} revocation list", getattr(self, name))

    def ends(self) -> datetime:
        """When the first of its parts runs out: it must be fetched anew before. Raises QuoteUntrustedError."""
        return min(part.ends for part in self.validities())


def _is_unicode(text: str) -> bool:
    """Whether it can be written down: JSON's escapes can name halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _validity_of_list(what: str, text: str) -> Validity:
    from cryptography import x509  # noqa: PLC0415 - slow to load

    try:
        found = x509.load_der_x509_crl(bytes.fromhex(text))
    except (ValueError, x509.InvalidVersion):
        raise _malformed(f"{what} cannot be read") from None
    if found.next_update_utc is None:
        raise _malformed(f"{what} does not say when it ends")
    return Validity(what, found.last_update_utc, found.next_update_utc)


def _member(text: str, name: str) -> Any:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or name not in document:
        raise _malformed(f"a signed document lacks `{name}`")
    return document[name]


def _instant(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _malformed("a signed document has no date where one belongs") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _malformed(words: str) -> QuoteUntrustedError:
    return QuoteUntrustedError(f"the collateral cannot be read: {words}", Reason.COLLATERAL_MALFORMED)
