"""PKCS#12 (RFC 7292): the same key and certificate for OpenSSL and for Java's default keystore type."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PBES,
    load_key_and_certificates,
    serialize_key_and_certificates,
)

from ppmlctl.keystore.errors import KeystoreError, WrongPasswordError
from ppmlctl.keystore.pem import key_to_der, load_certificates, load_rsa_key
from ppmlctl.secret import Secret

_ROUNDS = 10_000  # as keytool does


def write_pkcs12(alias: str, key: bytes, certificate: bytes, password: Secret) -> bytes:
    """A PKCS#12 file with key and certificates (both PEM, the key's own first) under one alias. Raises KeystoreError.

    3DES and SHA-1, since Java before 8u301 and 11.0.12 reads nothing newer, and the images' Java is as old as their
    builder chose; the file is as private as `server.key` beside it, which is not encrypted at all.
    """
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 - see the docstring
        .build(password.reveal_bytes())
    )
    private, (own, *others) = load_rsa_key(key), load_certificates(certificate)
    return serialize_key_and_certificates(alias.encode(), private, own, others or None, encryption)


def read_pkcs12(content: bytes, password: Secret) -> tuple[bytes, bytes]:
    """Key (PKCS#8 DER) and certificate (DER) of a PKCS#12 file.

    Raises WrongPasswordError when it does not open (the format cannot tell that from damage), KeystoreError when one of
    them is missing.
    """
    try:
        key, certificate, _more = load_key_and_certificates(content, password.reveal_bytes())
    except ValueError:
        raise WrongPasswordError("the PKCS#12 file does not open with this password, or was altered") from None
    if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
        raise KeystoreError("the PKCS#12 file lacks an RSA key or its certificate")
    return key_to_der(key), certificate.public_bytes(Encoding.DER)
