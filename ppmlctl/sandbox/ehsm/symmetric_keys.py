"""Symmetric keys as the real enclave uses them. (intel/ehsm `core/Enclave/key_operation.cpp`.)"""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.padding import PKCS7

from ppmlctl.ehsm import KeySpec

KEY_BYTES: Mapping[str, int] = {
    KeySpec.AES_GCM_128: 16,
    KeySpec.AES_GCM_192: 24,
    KeySpec.AES_GCM_256: 32,
    KeySpec.SM4_CTR: 16,
    KeySpec.SM4_CBC: 16,
}
_GCM_IV, _GCM_TAG, _SM4_BLOCK = 12, 16, 16  # bytes


class DecryptionError(Exception):
    """Wrong key, additional data or ciphertext."""


def encrypt(keyspec: str, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """`ciphertext ‖ IV ‖ tag` for AES-GCM; `ciphertext ‖ IV` for SM4, which does not use the additional data."""
    if keyspec in (KeySpec.SM4_CTR, KeySpec.SM4_CBC):
        iv = os.urandom(_SM4_BLOCK)
        encryptor = _sm4(keyspec, key, iv).encryptor()
        return encryptor.update(_padded(keyspec, plaintext)) + encryptor.finalize() + iv
    iv = os.urandom(_GCM_IV)
    sealed = AESGCM(key).encrypt(iv, plaintext, aad)
    return sealed[:-_GCM_TAG] + iv + sealed[-_GCM_TAG:]


def decrypt(keyspec: str, key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """What `encrypt` took. Raises DecryptionError."""
    try:
        if keyspec in (KeySpec.SM4_CTR, KeySpec.SM4_CBC):
            body, iv = ciphertext[:-_SM4_BLOCK], ciphertext[-_SM4_BLOCK:]
            decryptor = _sm4(keyspec, key, iv).decryptor()
            return _unpadded(keyspec, decryptor.update(body) + decryptor.finalize())
        body, iv, tag = (
            ciphertext[: -_GCM_IV - _GCM_TAG],
            ciphertext[-_GCM_IV - _GCM_TAG : -_GCM_TAG],
            ciphertext[-_GCM_TAG:],
        )
        return AESGCM(key).decrypt(iv, body + tag, aad)
    except (InvalidTag, ValueError):
        raise DecryptionError from None


def _sm4(keyspec: str, key: bytes, iv: bytes) -> Cipher[modes.CTR | modes.CBC]:
    mode = modes.CTR(iv) if keyspec == KeySpec.SM4_CTR else modes.CBC(iv)
    return Cipher(SM4(key), mode)


def _padded(keyspec: str, plaintext: bytes) -> bytes:
    if keyspec == KeySpec.SM4_CTR:
        return plaintext
    padder = PKCS7(_SM4_BLOCK * 8).padder()
    return padder.update(plaintext) + padder.finalize()


def _unpadded(keyspec: str, padded: bytes) -> bytes:
    if keyspec == KeySpec.SM4_CTR:
        return padded
    unpadder = PKCS7(_SM4_BLOCK * 8).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
