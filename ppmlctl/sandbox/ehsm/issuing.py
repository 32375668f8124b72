"""Certificates and revocation lists in the shape of Intel's for quotes, under a root of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=20 * 365)
_CLOCK_SLACK = timedelta(days=1)
_HALF_OF_SIGNATURE = 32  # bytes of each of the two numbers of a P-256 signature


@dataclass(frozen=True)
class Signer:
    """A key and the certificate that speaks for it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 as quotes and collateral carry it: two numbers of 32 bytes."""
        return raw_signature(self.key, message)


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The 64 bytes of a signature without ASN.1 around them."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_HALF_OF_SIGNATURE, "big") + s.to_bytes(_HALF_OF_SIGNATURE, "big")


def pem(*certificates: x509.Certificate) -> str:
    """Certificates one after the other, as chains are written."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def issue_root(name: str, at: datetime) -> Signer:
    """A new self-signed authority for one level of authorities below it."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(key, name, _name(name), at, authority_over=1)
    return Signer(key, builder.sign(key, hashes.SHA256()))


def issue(
    issuer: Signer,
    name: str,
    at: datetime,
    *,
    authority_over: int | None = None,
    extension: x509.ExtensionType | None = None,
) -> Signer:
    """A new key with a certificate; `authority_over` levels below it, or None for a leaf."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(key, name, issuer.certificate.subject, at, authority_over=authority_over)
    builder = builder.add_extension(_issuer_key(issuer), critical=False)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return Signer(key, builder.sign(issuer.key, hashes.SHA256()))


def revocation_list(issuer: Signer, revoked: Sequence[x509.Certificate], at: datetime, until: datetime) -> bytes:
    """A revocation list in DER."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(at - _CLOCK_SLACK).next_update(max(until, at))
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(at - _CLOCK_SLACK)
        builder = builder.add_revoked_certificate(entry.build())
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    builder = builder.add_extension(_issuer_key(issuer), critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _builder(
    key: ec.EllipticCurvePrivateKey, name: str, issuer: x509.Name, at: datetime, *, authority_over: int | None
) -> x509.CertificateBuilder:
    is_authority = authority_over is not None
    builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(at - _CLOCK_SLACK).not_valid_after(at + LIFETIME)
    builder = builder.add_extension(x509.BasicConstraints(is_authority, authority_over), critical=True)
    builder = builder.add_extension(_usage(is_authority=is_authority), critical=True)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key(issuer: Signer) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _name(common_name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ppmlctl sandbox, simulated")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), organisation])
