"""The files that are made of one key and its certificate, named as the manual procedure names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from ppmlctl.keystore.certificate import CertificateRequest, certificate_facts, signing_request
from ppmlctl.keystore.jks import PrivateKeyEntry, TrustedCertificateEntry, read_jks, write_jks
from ppmlctl.keystore.pem import key_to_der, load_certificates, load_rsa_key
from ppmlctl.keystore.pkcs12 import read_pkcs12, write_pkcs12
from ppmlctl.secret import Secret

KEY = "server.key"
CERTIFICATE = "server.crt"
SIGNING_REQUEST = "server.csr"
KEY_AND_CERTIFICATE = "server.pem"
PKCS12 = "keystore.pkcs12"
JKS = "keystore.jks"

SERVER_FILES = (KEY, CERTIFICATE, SIGNING_REQUEST, KEY_AND_CERTIFICATE, PKCS12, JKS)
KEY_BEARING = frozenset({KEY, KEY_AND_CERTIFICATE, PKCS12, JKS})
"""Files that give the private key away, or with the password do."""

KEY_ALIAS, TRUSTED_ALIAS = "server", "server-certificate"


def derived_files(key: bytes, certificate: bytes, request: CertificateRequest, password: Secret) -> dict[str, bytes]:
    """What is made of the key and the certificate (PEM, its own first) beside these two. Raises KeystoreError."""
    return {
        SIGNING_REQUEST: signing_request(key, request),
        KEY_AND_CERTIFICATE: key + certificate,
        PKCS12: write_pkcs12(KEY_ALIAS, key, certificate, password),
        JKS: _jks(key, certificate, password),
    }


def disagreeing_files(files: Mapping[str, bytes], password: Secret | None) -> list[str]:
    """The derived files that are missing or disagree with `server.key` and `server.crt`.

    `password` None: keystores are missed, not opened. Raises KeystoreError where these two cannot be read.
    """
    key, chain = load_rsa_key(files[KEY]), load_certificates(files[CERTIFICATE])
    key_der, certificates = key_to_der(key), tuple(one.public_bytes(Encoding.DER) for one in chain)
    checks: dict[str, Callable[[bytes], bool]] = {
        SIGNING_REQUEST: lambda content: x509.load_pem_x509_csr(content).public_key() == key.public_key(),
        KEY_AND_CERTIFICATE: lambda content: content == files[KEY] + files[CERTIFICATE],
        PKCS12: lambda content: password is None or read_pkcs12(content, password) == (key_der, certificates[0]),
        JKS: lambda content: password is None or _holds(content, password, key_der, certificates),
    }
    return [name for name, check in checks.items() if name not in files or not _passes(check, files[name])]


def _passes(check: Callable[[bytes], bool], content: bytes) -> bool:
    try:
        return check(content)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _jks(key: bytes, certificate: bytes, password: Secret) -> bytes:
    chain = tuple(one.public_bytes(Encoding.DER) for one in load_certificates(certificate))
    created = _milliseconds(certificate_facts(certificate).not_before)
    entries = (
        PrivateKeyEntry(KEY_ALIAS, created, key_to_der(load_rsa_key(key)), chain),
        # Spark is given one file as keystore and truststore, and only trusted entries are trust anchors.
        TrustedCertificateEntry(TRUSTED_ALIAS, created, chain[0]),
    )
    return write_jks(entries, password)


def _holds(content: bytes, password: Secret, key: bytes, chain: tuple[bytes, ...]) -> bool:
    entries = read_jks(content, password)
    has_key = any(isinstance(entry, PrivateKeyEntry) and (entry.key, entry.chain) == (key, chain) for entry in entries)
    trusted = {entry.certificate for entry in entries if isinstance(entry, TrustedCertificateEntry)}
    return has_key and chain[0] in trusted


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
