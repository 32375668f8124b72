"""Signatures as quotes and collateral carry them: ECDSA over P-256 with SHA-256, two numbers of 32 bytes."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SIZE_OF_SIGNATURE = 64
_HALF = SIZE_OF_SIGNATURE // 2


def public_key(point: bytes) -> ec.EllipticCurvePublicKey | None:
    """The key with these coordinates; None where they are no point of the curve."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + point)
    except ValueError:
        return None


def is_signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the key's owner signed the message. The signature has `SIZE_OF_SIGNATURE` bytes."""
    numbers = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
