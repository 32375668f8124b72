"""Hadoop's credential file, from which Spark reads its keystore passwords: no argument, variable or setting has them.

A JCEKS keystore of secret keys. Whoever can read the file can read it: its own password is the one that Hadoop takes
where none is said (`none`), so it is kept as the password itself would be. The same passwords give the same bytes.

The layout is that of JKS (see `ppmlctl.keystore.jks`) with magic 0xCECECECE; an entry with tag 3 holds a key as a
serialized `SealedObjectForKeyProtector`, whose content, encrypted by PBEWithMD5AndTripleDES, is a serialized
`SecretKeySpec`. Source: `com.sun.crypto.provider.JceKeyStore` and `PBES1Core` of OpenJDK, the Java Object Serialization
Specification section 6, `LocalJavaKeyStoreProvider` of Hadoop; held to them by a test that lets Java read it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ppmlctl.keystore.jks_stream import text
from ppmlctl.secret import Secret

DEFAULT_PASSWORD = "none"  # noqa: S105 - `CredentialProvider.CREDENTIAL_PASSWORD_DEFAULT`: says that there is none
"""What Hadoop opens the file with."""

_MAGIC, _VERSION, _SECRET_KEY = 0xCECECECE, 2, 3
_WHITENER = b"Mighty Aphrodite"
_SALT = bytes(range(8))
_ITERATIONS = 1000
"""Salt and iterations protect nothing behind a password that everybody knows; so they are fixed."""

_STREAM = bytes.fromhex("aced0005")
_OBJECT, _CLASS, _REFERENCE, _STRING, _ARRAY, _END, _NULL = (bytes([code]) for code in b"\x73\x72\x71\x74\x75\x78\x70")
_BYTES = _CLASS + text("[B") + bytes.fromhex("acf317f8060854e0020000") + _END + _NULL
"""The class of byte arrays, described where the first of them stands."""
_BYTES_AGAIN = _REFERENCE + bytes.fromhex("007e0005")
_SEALED_BY = "PBEWithMD5AndTripleDES"


def write_credentials(passwords: Mapping[str, Secret]) -> bytes:
    """The file with one password under each alias, such as `spark.ssl.keyStorePassword`."""
    body = struct.pack(">III", _MAGIC, _VERSION, len(passwords))
    for alias, password in sorted(passwords.items()):
        body += struct.pack(">I", _SECRET_KEY) + text(alias.lower()) + struct.pack(">Q", 0)
        body += _sealed(_secret_key(password.reveal_bytes()))
    known = DEFAULT_PASSWORD.encode("utf-16-be") + _WHITENER
    return body + hashlib.sha1(known + body, usedforsecurity=False).digest()


def _secret_key(key: bytes) -> bytes:
    """A serialized `SecretKeySpec`; Hadoop names its algorithm AES, whatever is in it."""
    fields = b"L" + text("algorithm") + _STRING + text("Ljava/lang/String;") + b"[" + text("key") + _STRING + text("[B")
    described = _CLASS + text("javax.crypto.spec.SecretKeySpec") + bytes.fromhex("5b470b66e230614d") + b"\x02\x00\x02"
    return _STREAM + _OBJECT + described + fields + _END + _NULL + _STRING + text("AES") + _ARRAY + _BYTES + _sized(key)


def _sealed(plain: bytes) -> bytes:
    """A serialized `SealedObjectForKeyProtector` around the encrypted bytes."""
    parameters = b"\x30\x0e\x04\x08" + _SALT + b"\x02\x02" + struct.pack(">H", _ITERATIONS)
    protector = _CLASS + text("com.sun.crypto.provider.SealedObjectForKeyProtector")
    protector += bytes.fromhex("cd57ca59e730bb53") + b"\x02\x00\x00" + _END
    fields = b"[" + text("encodedParams") + _STRING + text("[B")
    fields += b"[" + text("encryptedContent") + _REFERENCE + bytes.fromhex("007e0002")
    fields += b"L" + text("paramsAlg") + _STRING + text("Ljava/lang/String;")
    fields += b"L" + text("sealAlg") + _REFERENCE + bytes.fromhex("007e0003")
    sealed = _CLASS + text("javax.crypto.SealedObject") + bytes.fromhex("3e363da6c3b75470") + b"\x02\x00\x04"
    values = _ARRAY + _BYTES + _sized(parameters) + _ARRAY + _BYTES_AGAIN + _sized(_encrypted(plain))
    values += (_STRING + text(_SEALED_BY)) * 2
    return _STREAM + _OBJECT + protector + sealed + fields + _END + _NULL + values


def _encrypted(plain: bytes) -> bytes:
    """PBEWithMD5AndTripleDES: each half of the salt is hashed with the password again and again, for key and IV."""
    material = b""
    for half in (_SALT[:4], _SALT[4:]):
        digest = half
        for _ in range(_ITERATIONS):
            digest = hashlib.md5(digest + DEFAULT_PASSWORD.encode(), usedforsecurity=False).digest()
        material += digest
    padder = PKCS7(64).padder()
    encryptor = Cipher(TripleDES(material[:24]), modes.CBC(material[24:])).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def _sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
