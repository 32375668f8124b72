"""A self-signed server certificate with its key and signing request, as `server.key/.crt/.csr/.pem` hold them.

Self-signed, because the images use one keystore both to show the certificate and to trust it. It is valid for client
authentication too, as Flink's internal connections authenticate both sides with the same certificate.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ppmlctl.keystore.errors import KeystoreError
from ppmlctl.keystore.pem import key_to_pem, load_certificate, load_rsa_key, new_rsa_key

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


@dataclass(frozen=True)
class ServerCertificate:
    """PEM texts: `key` (PKCS#8, not encrypted), `certificate`, and `signing_request` for whoever has a CA sign it."""

    key: bytes = field(repr=False)
    certificate: bytes
    signing_request: bytes

    @property
    def key_and_certificate(self) -> bytes:
        """What `server.pem` holds."""
        return self.key + self.certificate


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says. `sha256` is of its DER form, in hex."""

    sha256: str
    common_name: str
    organization: str | None
    alternative_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def new_private_key() -> bytes:
    """A fresh RSA-3072 key in PEM."""
    return new_rsa_key(KEY_BITS)


def issue(key: bytes, request: CertificateRequest, *, now: datetime, serial: int | None = None) -> ServerCertificate:
    """A certificate for the key (PEM), valid from an hour before `now` (clocks differ) until `days` after it.

    The same key, request, `now` and `serial` give the same bytes; without `serial` it is random. Raises KeystoreError
    for a key that is not RSA, a name that X.509 cannot hold, or days out of range.
    """
    private = load_rsa_key(key)
    if not 1 <= request.days <= LONGEST_LIFE:
        raise KeystoreError(f"a certificate lives between 1 and {LONGEST_LIFE} days, not {request.days}")
    subject, alternative = _subject(request), _alternative_names(request)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number() if serial is None else serial)
    builder = builder.not_valid_before(now - _CLOCK_SLACK).not_valid_after(now + timedelta(days=request.days))
    for extension, critical in _extensions(private.public_key(), alternative):
        builder = builder.add_extension(extension, critical=critical)
    signing_request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signing_request = signing_request.add_extension(alternative, critical=False)
    return ServerCertificate(
        key=key_to_pem(private),
        certificate=builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM),
        signing_request=signing_request.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM),
    )


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
    )


def belongs_to(certificate: bytes, key: bytes) -> bool:
    """Whether the certificate (PEM) is for this key (PEM). Raises KeystoreError where either cannot be read."""
    return load_certificate(certificate).public_key() == load_rsa_key(key).public_key()


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
