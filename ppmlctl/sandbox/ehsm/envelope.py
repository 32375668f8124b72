"""The checks that every signed request passes before its payload is looked at, in the real service's order."""

from __future__ import annotations

from typing import Any

from ppmlctl.ehsm import is_empty

MISSING = "Missing required parameters"
WRONG_TYPE = "param type error"
_LONGEST_NONCE = 64  # UTF-16 code units, as JavaScript counts
_TIMESTAMP_DIGITS = 13
_WINDOW = 10 * 60 * 1000  # milliseconds, either side


def envelope_fault(body: Any, now: int, *, needs_payload: bool = False) -> str | None:
    """The first thing wrong with the fields around a payload, in the service's words. `now`: ms since 1970."""
    fields = body if isinstance(body, dict) else {}
    required = [fields.get(name) for name in ("appid", "timestamp", "sign")]
    if any(map(is_empty, required)) or (needs_payload and fields.get("payload") in (None, "", 0)):
        return MISSING
    if not all(isinstance(value, str) for value in required):
        return WRONG_TYPE
    if not isinstance(fields.get("payload"), dict | list | None):
        return WRONG_TYPE
    nonce = fields.get("nonce")
    if isinstance(nonce, str) and utf16_length(nonce) > _LONGEST_NONCE:
        return "Nonce length error"
    return _timestamp_fault(fields["timestamp"], now)


def utf16_length(text: str) -> int:
    """The length of a text as JavaScript counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _timestamp_fault(timestamp: str, now: int) -> str | None:
    if utf16_length(timestamp) != _TIMESTAMP_DIGITS:
        return "Timestamp length error"
    in_window = timestamp.isascii() and timestamp.isdigit() and abs(int(timestamp) - now) < _WINDOW
    return None if in_window else "Timestamp error"
