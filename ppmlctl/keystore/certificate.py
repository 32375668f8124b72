"""A self-signed server certificate with its key and signing request.

Self-signed, because the images use one keystore both to show the certificate and to trust it. It is valid for client
authentication too, as Flink's internal connections authenticate both sides with the same certificate.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ppmlctl.keystore.errors import KeystoreError
from ppmlctl.keystore.pem import load_certificate, load_rsa_key, new_rsa_key

KEY_BITS = 3072
LONGEST_LIFE = 36500
"""In days. Beyond it dates leave what X.509 and its readers can hold."""

_CLOCK_SLACK = timedelta(hours=1)
_LONGEST_NAME = 64  # RFC 5280, ub-common-name and ub-organization-name
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*")


@dataclass(frozen=True)
class CertificateRequest:
    """Whom a certificate names, and for how long. `alternative_names`: further host names and addresses."""

    common_name: str
    organization: str | None = None
    days: int = 825
    alternative_names: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises KeystoreError for a name that X.509 cannot hold, or days out of range."""
        if not 1 <= self.days <= LONGEST_LIFE:
            raise KeystoreError(f"a certificate lives between 1 and {LONGEST_LIFE} days, not {self.days}")
        _subject(self)
        _alternative_names(self)


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says. `sha256` is of its DER form, in hex."""

    sha256: str
    common_name: str
    organization: str | None
    alternative_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    is_self_signed: bool

    def says(self, request: CertificateRequest) -> bool:
        """Whether it is what was asked for. A CA may choose the organization and the time, and add names."""
        wanted, named = {request.common_name, *request.alternative_names}, set(self.alternative_names)
        if self.common_name != request.common_name or not wanted <= named:
            return False
        lifetime = self.not_after - self.not_before
        as_issued_here = (self.organization, named) == (request.organization, wanted)
        as_issued_here = as_issued_here and lifetime == timedelta(days=request.days) + _CLOCK_SLACK
        return as_issued_here or not self.is_self_signed


def check_key(key: bytes) -> None:
    """Raises KeystoreError for what is no unencrypted RSA key in PEM."""
    load_rsa_key(key)


def new_private_key() -> bytes:
    """A fresh RSA-3072 key in PEM."""
    return new_rsa_key(KEY_BITS)


def issue(key: bytes, request: CertificateRequest, *, now: datetime, serial: int | None = None) -> bytes:
    """A certificate (PEM) for the key (PEM), valid from an hour before `now` (clocks differ) until `days` after it.

    The same key, request, `now` and `serial` give the same bytes; without `serial` it is random. Raises KeystoreError
    for a key that is not RSA, a name that X.509 cannot hold, or days out of range.
    """
    private = load_rsa_key(key)
    request.check()
    subject, alternative = _subject(request), _alternative_names(request)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number() if serial is None else serial)
    builder = builder.not_valid_before(now - _CLOCK_SLACK).not_valid_after(now + timedelta(days=request.days))
    for extension, critical in _extensions(private.public_key(), alternative):
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(private, hashes.SHA256())
    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        raise KeystoreError("the private key is damaged: what it signs does not verify") from None
    return certificate.public_bytes(Encoding.PEM)


def signing_request(key: bytes, request: CertificateRequest) -> bytes:
    """A signing request (PEM) with the same names, for a CA to sign. Raises KeystoreError as `issue` does."""
    request.check()
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(request))
    builder = builder.add_extension(_alternative_names(request), critical=False)
    return builder.sign(load_rsa_key(key), hashes.SHA256()).public_bytes(Encoding.PEM)


def certificate_facts(pem: bytes) -> CertificateFacts:
    """What the certificate (PEM) says. Raises KeystoreError."""
    certificate = load_certificate(pem)
    try:
        names = _named_in(certificate)
        common_name = _attribute(certificate.subject, NameOID.COMMON_NAME)
        organization = _attribute(certificate.subject, NameOID.ORGANIZATION_NAME)
    except ValueError:
        raise KeystoreError("a certificate whose names cannot be read") from None
    return CertificateFacts(
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        common_name=common_name or "",
        organization=organization,
        alternative_names=names,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_self_signed=certificate.issuer == certificate.subject,
    )


def belongs_to(certificate: bytes, key: bytes) -> bool:
    """Whether the certificate (PEM) is for this key (PEM). Raises KeystoreError where either cannot be read."""
    private = load_rsa_key(key)
    try:
        return load_certificate(certificate).public_key() == private.public_key()
    except UnsupportedAlgorithm:
        return False


def _subject(request: CertificateRequest) -> x509.Name:
    wanted = [(NameOID.ORGANIZATION_NAME, request.organization), (NameOID.COMMON_NAME, request.common_name)]
    attributes = [(oid, value) for oid, value in wanted if value is not None]
    if not all(1 <= len(value) <= _LONGEST_NAME and value.isprintable() for _, value in attributes):
        raise KeystoreError(f"common name and organization have 1 to {_LONGEST_NAME} printable characters each")
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _alternative_names(request: CertificateRequest) -> x509.SubjectAlternativeName:
    names = dict.fromkeys((request.common_name, *request.alternative_names))
    return x509.SubjectAlternativeName([_alternative_name(name) for name in names])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not name or name.strip(".") != name or not set(name) <= _HOST_CHARACTERS:
        raise KeystoreError(f"not a host name or address: {name!r}")
    return x509.DNSName(name)


def _extensions(
    public: rsa.RSAPublicKey, alternative: x509.SubjectAlternativeName
) -> list[tuple[x509.ExtensionType, bool]]:
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return [
        (alternative, False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.ExtendedKeyUsage(purposes), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    ]


def _named_in(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    values = [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
    return values[0] if values else None
