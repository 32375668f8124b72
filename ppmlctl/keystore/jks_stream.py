"""The pieces that a JKS file is made of, as Java's DataOutputStream writes them."""

from __future__ import annotations

import struct

from ppmlctl.keystore.errors import KeystoreError

_LONGEST_TEXT = 0xFFFF


def text(value: str) -> bytes:
    """A text with its size in two bytes, in Java's modified UTF-8 (surrogates one by one, NUL in two bytes)."""
    units = value.encode("utf-16-be", "surrogatepass")
    split = "".join(chr(unit) for (unit,) in struct.iter_unpack(">H", units))
    encoded = split.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
    if len(encoded) > _LONGEST_TEXT:
        raise KeystoreError("a text is too long for a JKS file")
    return struct.pack(">H", len(encoded)) + encoded


class JksReader:
    """Reads one piece after another. Raises KeystoreError where the content ends too early."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self._take(size), "big")

    def sized(self) -> bytes:
        """Bytes with their size in four bytes before them."""
        return self._take(self.number(4))

    def text(self) -> str:
        """A text as `text` writes it."""
        encoded = self._take(self.number(2)).replace(b"\xc0\x80", b"\0")
        try:
            units = encoded.decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass")
            return units.decode("utf-16-be")
        except UnicodeDecodeError:
            raise KeystoreError("a text of the keystore cannot be read") from None

    def is_at_end(self) -> bool:
        """Whether everything was read."""
        return self._position == len(self._content)

    def _take(self, size: int) -> bytes:
        piece = self._content[self._position : self._position + size]
        if len(piece) != size:
            raise KeystoreError("the keystore ends too early")
        self._position += size
        return piece
