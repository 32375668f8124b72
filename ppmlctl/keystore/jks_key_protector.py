"""How a JKS file encrypts a private key: Sun's own scheme, OID 1.3.6.1.4.1.42.2.17.1.1.

A salt of 20 bytes starts a chain of SHA-1 digests over password and previous digest; the chain is the key stream.
After the ciphertext stands the SHA-1 of password and plain key. It is weak, and it is what the format prescribes:
whoever has the file can try passwords as fast as SHA-1 runs, so the file is kept as private as the key itself.
Source: `sun.security.provider.KeyProtector` of OpenJDK, read for the format.
"""

from __future__ import annotations

import hashlib
import hmac

from ppmlctl.keystore import der
from ppmlctl.keystore.errors import KeystoreError, WrongPasswordError

SALT_SIZE = 20
_DIGEST_SIZE = 20
_OID = bytes.fromhex("2b060104012a02110101")
_ALGORITHM = der.encode(der.SEQUENCE, der.encode(der.OBJECT_IDENTIFIER, _OID), der.encode(der.NULL))


def protect(key: bytes, password: str, salt: bytes) -> bytes:
    """EncryptedPrivateKeyInfo (DER) of a PKCS#8 key (DER). `salt` is 20 random bytes, fresh for each call."""
    if len(salt) != SALT_SIZE:
        raise KeystoreError(f"the salt of a JKS key has {SALT_SIZE} bytes")
    secret = password_bytes(password)
    sealed = salt + _stream_cipher(key, secret, salt) + _sha1(secret + key)
    return der.encode(der.SEQUENCE, _ALGORITHM, der.encode(der.OCTET_STRING, sealed))


def recover(protected: bytes, password: str) -> bytes:
    """The PKCS#8 key (DER). Raises WrongPasswordError, or KeystoreError for what is no such key."""
    content, rest = der.decode(protected, der.SEQUENCE)
    algorithm, sealed_element = der.decode(content, der.SEQUENCE)
    oid, _parameters = der.decode(algorithm, der.OBJECT_IDENTIFIER)
    if oid != _OID:
        raise KeystoreError("a private key is encrypted by another scheme than JKS prescribes")
    sealed, more = der.decode(sealed_element, der.OCTET_STRING)
    if rest or more or len(sealed) < SALT_SIZE + _DIGEST_SIZE:
        raise KeystoreError("an encrypted private key has the wrong length")
    secret, salt = password_bytes(password), sealed[:SALT_SIZE]
    key = _stream_cipher(sealed[SALT_SIZE:-_DIGEST_SIZE], secret, salt)
    if not hmac.compare_digest(_sha1(secret + key), sealed[-_DIGEST_SIZE:]):
        raise WrongPasswordError("a private key does not open with this password, or was altered")
    return key


def password_bytes(password: str) -> bytes:
    """The password as JKS feeds it to SHA-1: two bytes for each UTF-16 unit."""
    try:
        return password.encode("utf-16-be")
    except UnicodeEncodeError:
        raise KeystoreError("the password is not valid text") from None


def _stream_cipher(text: bytes, secret: bytes, salt: bytes) -> bytes:
    stream, block = bytearray(), salt
    while len(stream) < len(text):
        block = _sha1(secret + block)
        stream += block
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
