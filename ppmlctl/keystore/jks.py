"""Java's own keystore format, version 2, which the images are told to read (`spark.ssl.keyStoreType=JKS`).

Big-endian: magic 0xFEEDFEED, version, number of entries; each entry has a tag, an alias and a time in milliseconds,
then an encrypted private key with its certificates, or one trusted certificate. At the end stands a SHA-1 over the
password, the words "Mighty Aphrodite", and everything before.
Source: `sun.security.provider.JavaKeyStore` of OpenJDK, read for the format.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ppmlctl.keystore.errors import KeystoreError, WrongPasswordError
from ppmlctl.keystore.jks_key_protector import SALT_SIZE, password_bytes, protect, recover
from ppmlctl.keystore.jks_stream import JksReader, text
from ppmlctl.secret import Secret

MAGIC = 0xFEEDFEED
VERSION = 2

_JCEKS_MAGIC = 0xCECECECE
_PRIVATE_KEY, _TRUSTED_CERTIFICATE = 1, 2
_WHITENER = b"Mighty Aphrodite"
_DIGEST_SIZE = 20
_CERTIFICATE_TYPE = "X.509"


@dataclass(frozen=True)
class PrivateKeyEntry:
    """A private key (PKCS#8 DER) with its certificate chain (DER), the key's own first. `created`: ms since 1970."""

    alias: str
    created: int
    key: bytes = field(repr=False)
    chain: tuple[bytes, ...]


@dataclass(frozen=True)
class TrustedCertificateEntry:
    """A certificate (DER) that is trusted. `created`: ms since 1970."""

    alias: str
    created: int
    certificate: bytes


Entry = PrivateKeyEntry | TrustedCertificateEntry


def _random_salt() -> bytes:
    return os.urandom(SALT_SIZE)


def write_jks(entries: Sequence[Entry], password: Secret, *, new_salt: Callable[[], bytes] = _random_salt) -> bytes:
    """A JKS file. Keys are encrypted with the store's own password, as Spark's one-password settings need it.

    Raises KeystoreError for two entries of one alias (Java compares them in lower case) or a password that is no text.
    """
    aliases = [entry.alias.lower() for entry in entries]
    if len(set(aliases)) != len(aliases):
        raise KeystoreError("two entries of a keystore have the same alias")
    secret = _revealed(password)
    body = struct.pack(">III", MAGIC, VERSION, len(entries))
    body += b"".join(_written(entry, secret, new_salt) for entry in entries)
    return body + _integrity(body, secret)


def read_jks(content: bytes, password: Secret) -> tuple[Entry, ...]:
    """The entries of a JKS file, keys decrypted. Raises WrongPasswordError, or KeystoreError for what is no JKS."""
    _check_format(content)
    secret = _revealed(password)
    body, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if not hmac.compare_digest(_integrity(body, secret), digest):
        raise WrongPasswordError("the keystore does not open with this password, or was altered")
    reader = JksReader(body[8:])
    count = reader.number(4)
    entries = tuple(_read_entry(reader, secret) for _ in range(count))
    if not reader.is_at_end():
        raise KeystoreError("bytes follow the last entry")
    return entries


def _check_format(content: bytes) -> None:
    if len(content) < struct.calcsize(">III") + _DIGEST_SIZE:
        raise KeystoreError("too short to be a JKS file")
    magic, version = struct.unpack_from(">II", content)
    if magic == _JCEKS_MAGIC:
        raise KeystoreError("a JCEKS file, not a JKS one")
    if magic != MAGIC:
        raise KeystoreError("not a JKS file" + (" (perhaps PKCS#12)" if content.startswith(b"\x30") else ""))
    if version != VERSION:
        raise KeystoreError(f"JKS version {version}; only version {VERSION} is read")


def _written(entry: Entry, password: str, new_salt: Callable[[], bytes]) -> bytes:
    if isinstance(entry, TrustedCertificateEntry):
        head = _head(_TRUSTED_CERTIFICATE, entry)
        return head + _written_certificate(entry.certificate)
    protected = protect(entry.key, password, new_salt())
    chain = b"".join(map(_written_certificate, entry.chain))
    return _head(_PRIVATE_KEY, entry) + _sized(protected) + struct.pack(">I", len(entry.chain)) + chain


def _head(tag: int, entry: Entry) -> bytes:
    return struct.pack(">I", tag) + text(entry.alias.lower()) + struct.pack(">Q", entry.created)


def _written_certificate(certificate: bytes) -> bytes:
    return text(_CERTIFICATE_TYPE) + _sized(certificate)


def _sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _read_entry(reader: JksReader, password: str) -> Entry:
    tag, alias, created = reader.number(4), reader.text(), reader.number(8)
    if tag == _PRIVATE_KEY:
        key = recover(reader.sized(), password)
        return PrivateKeyEntry(alias, created, key, tuple(_read_chain(reader)))
    if tag == _TRUSTED_CERTIFICATE:
        return TrustedCertificateEntry(alias, created, _read_certificate(reader))
    raise KeystoreError(f"an entry has the unknown tag {tag}")


def _read_chain(reader: JksReader) -> Iterator[bytes]:
    for _ in range(reader.number(4)):
        yield _read_certificate(reader)


def _read_certificate(reader: JksReader) -> bytes:
    if reader.text() != _CERTIFICATE_TYPE:
        raise KeystoreError("a certificate is of another type than X.509")
    return reader.sized()


def _integrity(body: bytes, password: str) -> bytes:
    digest = hashlib.sha1(password_bytes(password), usedforsecurity=False)
    digest.update(_WHITENER)
    digest.update(body)
    return digest.digest()


def _revealed(password: Secret) -> str:
    try:
        return password.reveal_text()
    except UnicodeDecodeError:
        raise KeystoreError("the password is not valid text") from None
