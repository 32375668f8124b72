"""The forms in which files hold a quote: its bytes, or them in hexadecimal or base64."""

from __future__ import annotations

import base64
import binascii
import re

_HEXADECIMAL = re.compile(rb"(?:0x)?(?:[0-9a-fA-F]{2})+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")


def quote_bytes(content: bytes) -> bytes:
    """The quote's bytes. What is neither hexadecimal nor base64 is taken as it is; no quote's own bytes look like text.

    White space does not count, and base64 may be in the alphabet for URLs and without padding.
    """
    text = b"".join(content.split())
    if _HEXADECIMAL.fullmatch(text):
        return bytes.fromhex(text.removeprefix(b"0x").decode())
    if _BASE64.fullmatch(text):
        standard = text.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        try:
            return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
        except binascii.Error:
            return content
    return content
