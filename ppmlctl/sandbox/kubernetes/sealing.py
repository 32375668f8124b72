"""Encryption of stored Secrets, so that a copied database file alone gives none away."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ppmlctl.files import PRIVATE, read_bytes, write_atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = b"ppml:aesgcm:1:"
_NONCE_BYTES = 12


class Seal:
    """AES-256-GCM under a random key in a file (0600), made at first use; no protection from who reads that file."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    @cached_property
    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - not paid by start-up

        if not self._key_file.exists():
            write_atomic(self._key_file, AESGCM.generate_key(256), mode=PRIVATE)
        return AESGCM(read_bytes(self._key_file))

    def seal(self, body: bytes) -> bytes:
        """The body encrypted and marked as such."""
        nonce = os.urandom(_NONCE_BYTES)
        return _MARK + nonce + self._cipher.encrypt(nonce, body, _MARK)

    def open(self, body: bytes) -> bytes:
        """The plain body; one that is not marked is returned as it is."""
        if not body.startswith(_MARK):
            return body
        rest = body[len(_MARK) :]
        return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _MARK)
