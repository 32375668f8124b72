"""The little of DER (X.690) that Java's key protector needs: definite lengths, one-byte tags."""

from __future__ import annotations

from ppmlctl.keystore.errors import KeystoreError

SEQUENCE = 0x30
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
NULL = 0x05

_LONG_FORM = 0x80
_LONGEST_LENGTH = 4


def encode(tag: int, *contents: bytes) -> bytes:
    """One element holding the contents one after another."""
    content = b"".join(contents)
    return bytes([tag]) + _encoded_length(len(content)) + content


def decode(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first element, which must have this tag, and what follows it. Raises KeystoreError."""
    if len(data) < 2 or data[0] != tag:  # noqa: PLR2004 - a tag and a length
        raise KeystoreError(f"expected a DER element with tag {tag:#04x}")
    start, size = _decoded_length(data)
    if start + size > len(data):
        raise KeystoreError("a DER element is cut short")
    return data[start : start + size], data[start + size :]


def _encoded_length(size: int) -> bytes:
    if size < _LONG_FORM:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([_LONG_FORM | len(digits)]) + digits


def _decoded_length(data: bytes) -> tuple[int, int]:
    """Where the content begins, and its length."""
    first = data[1]
    if first < _LONG_FORM:
        return 2, first
    count = first - _LONG_FORM
    if not 1 <= count <= _LONGEST_LENGTH or len(data) < 2 + count:
        raise KeystoreError("a DER length cannot be read")
    return 2 + count, int.from_bytes(data[2 : 2 + count], "big")
