"""RSA keys and certificates from and to PEM."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ppmlctl.keystore.errors import KeystoreError

_EXPONENT = 65537


def new_rsa_key(bits: int) -> bytes:
    """A fresh RSA key as PKCS#8 PEM, not encrypted."""
    return key_to_pem(rsa.generate_private_key(_EXPONENT, bits))


def key_to_pem(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS#8 PEM, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_to_der(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS#8 DER, not encrypted: the form inside Java's keystores."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_rsa_key(pem: bytes) -> rsa.RSAPrivateKey:
    """The RSA key in a PEM that is not encrypted. Raises KeystoreError.

    Its primes are not tested, as that takes a tenth of a second in every plan; who signs with it checks the signature.
    """
    try:
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own words may quote parts of the input.
        raise KeystoreError("not an unencrypted private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeystoreError("a private key, but not an RSA one")
    return key


def load_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate in a PEM. Raises KeystoreError."""
    return load_certificates(pem)[0]


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """All certificates in a PEM, at least one. Raises KeystoreError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise KeystoreError("not a certificate in PEM") from None
