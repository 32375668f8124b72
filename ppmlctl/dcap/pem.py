"""Certificate chains as text, read strictly: the one form that Intel's service writes (RFC 7468, section 3, strict).

A looser reader lets bytes be changed without changing what is read.
"""

from __future__ import annotations

import base64
import binascii
import re

from ppmlctl.dcap.refusal import QuoteError

_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----(\r?\n)((?:[A-Za-z0-9+/]{64}\1)*[A-Za-z0-9+/]{1,64}={0,2}\1)-----END CERTIFICATE-----"
)
_BETWEEN = (b"\n", b"\r\n")
_AFTER = (b"", b"\n", b"\r\n", b"\n\0", b"\r\n\0")
"""A chain in a quote ends with a line and the end of a C string, in collateral with a line."""


def pem_certificates(text: bytes) -> tuple[bytes, ...]:
    """The certificates of a chain in DER, one or more. Raises QuoteError."""
    found: list[bytes] = []
    position = 0
    for match in _CERTIFICATE.finditer(text):
        if text[position : match.start()] not in (_BETWEEN if found else (b"",)):
            break
        found.append(_der(b"".join(match[2].split())))
        position = match.end()
    if not found or text[position:] not in _AFTER:
        raise QuoteError("its certificate chain is not certificates in PEM one after the other")
    return tuple(found)


def _der(text: bytes) -> bytes:
    try:
        der = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise QuoteError("a certificate of its chain is no base64") from error
    if base64.b64encode(der) != text:
        raise QuoteError("a certificate of its chain is not written in the one form of base64")
    return der
