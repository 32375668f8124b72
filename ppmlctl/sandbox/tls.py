"""The sandbox's own certificate authority and the one server certificate that its services share.

The authority is made once per state folder, so that a client which trusts it keeps trusting it. The server certificate
is made anew when it lacks an address that is asked for, or ends soon. No private key is readable by others.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ppmlctl.files import PRIVATE, read_bytes, write_atomic

ALWAYS_NAMED = ("attestation.sandbox", "ehsm.sandbox", "kubernetes.sandbox", "localhost", "127.0.0.1")
_LIFETIME = timedelta(days=3650)
_SERVER_LIFETIME = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=30)
_CLOCK_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class SandboxCertificates:
    """Where the PEM files are: what clients trust, and what a server is given."""

    ca: Path
    certificate: Path
    key: Path


def ensure_certificates(folder: Path, addresses: Sequence[str] = ()) -> SandboxCertificates:
    """Makes or reuses the authority and a server certificate for `ALWAYS_NAMED` and `addresses` (names or IPs).

    Files: `ca.pem`, `ca.key`, `server.pem`, `server.key`; keys have mode 0600. A file that a crash left without its
    partner is replaced. Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority_key = _ensure_key(folder / "ca.key")
    authority = _load_certificate(folder / "ca.pem", authority_key)
    if authority is None:
        authority = _issue_authority(authority_key)
        write_atomic(folder / "ca.pem", authority.public_bytes(Encoding.PEM))
    server_key = _ensure_key(folder / "server.key")
    wanted = _alternative_names([*ALWAYS_NAMED, *addresses])
    server = _load_certificate(folder / "server.pem", server_key)
    if server is None or not _serves(server, authority, wanted):
        server = _issue_server(server_key, authority, authority_key, wanted)
        write_atomic(folder / "server.pem", server.public_bytes(Encoding.PEM))
    return SandboxCertificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def _ensure_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        key = load_pem_private_key(read_bytes(path), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    key = ec.generate_private_key(ec.SECP256R1())
    write_atomic(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=PRIVATE)
    return key


def _load_certificate(path: Path, key: ec.EllipticCurvePrivateKey) -> x509.Certificate | None:
    """The certificate at `path` if it is for `key` and not about to end."""
    if not path.exists():
        return None
    certificate = x509.load_pem_x509_certificate(read_bytes(path))
    ends_soon = certificate.not_valid_after_utc - _RENEW_BEFORE < datetime.now(UTC)
    return None if ends_soon or certificate.public_key() != key.public_key() else certificate


def _serves(server: x509.Certificate, authority: x509.Certificate, wanted: Sequence[x509.GeneralName]) -> bool:
    try:
        server.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the answer is to make another
        return False
    named = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(wanted) <= set(named)


def _alternative_names(addresses: Sequence[str]) -> list[x509.GeneralName]:
    return [_alternative_name(address) for address in dict.fromkeys(addresses)]


def _alternative_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, lifetime: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _CLOCK_SLACK).not_valid_after(now + lifetime)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issue_authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name, public = _name("ppmlctl sandbox CA"), key.public_key()
    builder = _builder(name, name, _LIFETIME).public_key(public)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.sign(key, hashes.SHA256())


def _issue_server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
) -> x509.Certificate:
    public = key.public_key()
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    builder = _builder(_name("ppmlctl sandbox"), authority.subject, _SERVER_LIFETIME).public_key(public)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    builder = builder.add_extension(issuer_key, critical=False)
    return builder.sign(authority_key, hashes.SHA256())
