"""How the vault encrypts: a key from the password by scrypt (RFC 7914), each value on its own by AES-256-GCM."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppmlctl.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_SIZE = 12
TAG_SIZE = 16
KEY_SIZE = 32
SALT_SIZE = 16
MEMORY_LIMIT = 2**28
"""The most memory, in bytes, that a vault file may ask for: one from elsewhere must not exhaust the machine."""

_LEAST_R = 8
_MOST_P = 16
_LONGEST_SALT = 1024
_MOST_WORK = 2**21
"""Eight times today's cost: about a second."""


class SealError(ValueError):
    """A sealed value does not belong to this key and context, or was altered."""


@dataclass(frozen=True)
class Scrypt:
    """Cost and salt of the key derivation. Takes `128 * r * (n + p)` bytes of memory."""

    salt: bytes
    n: int = 2**15
    r: int = 8
    p: int = 1

    def is_acceptable(self) -> bool:
        """Whether the parameters are valid scrypt and cheap enough to be tried."""
        is_power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        is_in_range = self.r >= _LEAST_R and 1 <= self.p <= _MOST_P and SALT_SIZE <= len(self.salt) <= _LONGEST_SALT
        is_cheap = self.n * self.r * self.p <= _MOST_WORK and 128 * self.r * (self.n + self.p) <= MEMORY_LIMIT
        return is_power_of_two and is_in_range and is_cheap


def new_scrypt() -> Scrypt:
    """Today's cost with a fresh salt."""
    return Scrypt(salt=os.urandom(SALT_SIZE))


def derive_key(password: Secret, scrypt: Scrypt) -> bytes:
    """The AES-256 key of this password. Takes about a tenth of a second, as it should."""
    return hashlib.scrypt(
        password.reveal_bytes(),
        salt=scrypt.salt,
        n=scrypt.n,
        r=scrypt.r,
        p=scrypt.p,
        maxmem=2 * MEMORY_LIMIT,
        dklen=KEY_SIZE,
    )


def seal(key: bytes, value: bytes, context: bytes) -> bytes:
    """Nonce and ciphertext of `value`. It opens only with the same key and the same context."""
    nonce = os.urandom(NONCE_SIZE)
    return nonce + _cipher(key).encrypt(nonce, value, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The value that was sealed. Raises SealError when key, context or a single bit differs."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - a plan with a locked vault does not pay for it

    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        raise SealError("too short to be a sealed value")
    try:
        return _cipher(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], context)
    except InvalidTag:
        raise SealError("wrong key or context, or altered") from None


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - see unseal

    return AESGCM(key)
