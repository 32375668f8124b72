"""RSA and elliptic-curve keys as the real enclave uses them. (intel/ehsm `core/Enclave/key_operation.cpp`.)

SM2 is left out: the cryptography library has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from ppmlctl.ehsm import DigestMode, KeySpec, MessageType, PaddingMode

RSA_BITS: Mapping[str, int] = {KeySpec.RSA_2048: 2048, KeySpec.RSA_3072: 3072, KeySpec.RSA_4096: 4096}
CURVES: Mapping[str, ec.EllipticCurve] = {
    KeySpec.EC_P224: ec.SECP224R1(),
    KeySpec.EC_P256: ec.SECP256R1(),
    KeySpec.EC_P256K: ec.SECP256K1(),
    KeySpec.EC_P384: ec.SECP384R1(),
    KeySpec.EC_P521: ec.SECP521R1(),
}
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = {
    DigestMode.SHA_224: hashes.SHA224(),
    DigestMode.SHA_256: hashes.SHA256(),
    DigestMode.SHA_384: hashes.SHA384(),
    DigestMode.SHA_512: hashes.SHA512(),
    DigestMode.SM3: hashes.SM3(),
}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Signing:
    """How a message is signed, by EHSM's names."""

    message_type: str
    digest_mode: str
    padding_mode: str

    @property
    def digest(self) -> hashes.HashAlgorithm | utils.Prehashed:
        """The digest, or word that the message is one already."""
        algorithm = _DIGESTS[self.digest_mode]
        return utils.Prehashed(algorithm) if self.message_type == MessageType.DIGEST else algorithm

    @property
    def padding(self) -> padding.AsymmetricPadding:
        """RSA's padding. Raises KeyMisusedError."""
        if self.padding_mode == PaddingMode.PKCS1_PSS:
            digest = _DIGESTS[self.digest_mode]
            return padding.PSS(padding.MGF1(digest), digest.digest_size)
        if self.padding_mode == PaddingMode.PKCS1:
            return padding.PKCS1v15()
        raise KeyMisusedError


class KeyMisusedError(Exception):
    """What the enclave refuses: the wrong kind of key, padding, length or ciphertext."""


def generate(keyspec: str) -> bytes:
    """A new private key as PKCS#8 in DER."""
    key: PrivateKey
    if keyspec in RSA_BITS:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS[keyspec])
    else:
        key = ec.generate_private_key(CURVES[keyspec])
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_key(material: bytes) -> str:
    """SubjectPublicKeyInfo in PEM. Raises KeyMisusedError."""
    return _key(material).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def encrypt(material: bytes, plaintext: bytes, padding_mode: str) -> bytes:
    """By RSA. Raises KeyMisusedError."""
    try:
        return _rsa_key(material).public_key().encrypt(plaintext, _encryption_padding(padding_mode))
    except ValueError:
        raise KeyMisusedError from None


def decrypt(material: bytes, ciphertext: bytes, padding_mode: str) -> bytes:
    """By RSA. Raises KeyMisusedError."""
    try:
        return _rsa_key(material).decrypt(ciphertext, _encryption_padding(padding_mode))
    except ValueError:
        raise KeyMisusedError from None


def sign(material: bytes, message: bytes, how: Signing) -> bytes:
    """A signature, in DER for elliptic curves. Raises KeyMisusedError."""
    key = _key(material)
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(message, how.padding, how.digest)
        return key.sign(message, ec.ECDSA(how.digest))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyMisusedError from None


def verify(material: bytes, message: bytes, signature: bytes, how: Signing) -> bool:
    """Whether it is this key's signature. Raises KeyMisusedError, also for an RSA signature of another length."""
    key = _key(material).public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if len(signature) * 8 != key.key_size:
                raise KeyMisusedError
            key.verify(signature, message, how.padding, how.digest)
        else:
            key.verify(signature, message, ec.ECDSA(how.digest))
    except InvalidSignature:
        return False
    except (ValueError, UnsupportedAlgorithm):
        raise KeyMisusedError from None
    return True


def _key(material: bytes) -> PrivateKey:
    try:
        return cast("PrivateKey", load_der_private_key(material, None))
    except ValueError:
        raise KeyMisusedError from None


def _rsa_key(material: bytes) -> rsa.RSAPrivateKey:
    key = _key(material)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyMisusedError
    return key


def _encryption_padding(mode: str) -> padding.AsymmetricPadding:
    if mode == PaddingMode.PKCS1_OAEP:
        return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    if mode == PaddingMode.PKCS1:
        return padding.PKCS1v15()
    raise KeyMisusedError
