"""The signature of EHSM's requests and quote verdicts: a canonical text of their fields, and its HMAC.

The server is a Node program, so the text follows JavaScript: names in UTF-16 order, numbers and booleans as JavaScript
prints them, and every value left out that JavaScript's loose `== ''` takes for empty. (intel/ehsm
`ehsm_kms_service/function.js`, `params_sort_str` and `gen_hmac`.)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from typing import Any

from ppmlctl.secret import Secret

SIGNED_FIELDS = ("appid", "nonce", "payload", "timestamp")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_PLAIN_EXPONENT, _SMALLEST_PLAIN_EXPONENT = 21, -6


def canonical_request(fields: Mapping[str, Any]) -> str:
    """The text that a request's signature covers. Of the top-level fields only `SIGNED_FIELDS` count."""
    return canonical_text({name: fields[name] for name in SIGNED_FIELDS if name in fields})


def canonical_text(fields: Mapping[str, Any]) -> str:
    """The fields as `name=value` joined by `&`, sorted by UTF-16 code unit, unescaped, nested without brackets.

    Takes what a JSON document holds: None, bool, int, float, str, list, dict with text keys.
    """
    members = sorted(fields.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
    return "&".join(f"{name}={_text(value)}" for name, value in members if not is_empty(value))


def sign(text: str, key: Secret) -> str:
    """HMAC-SHA256 of the text under an account's apikey, in standard base64 with padding."""
    # Node writes U+FFFD where a surrogate stands alone, since UTF-8 has no form for it.
    message = _LONE_SURROGATE.sub("\ufffd", text).encode()
    return base64.b64encode(hmac.new(key.reveal_bytes(), message, hashlib.sha256).digest()).decode()


def is_signed(text: str, signature: str, key: Secret) -> bool:
    """Whether `signature` is this key's signature of the text. Takes the same time wherever they differ."""
    return hmac.compare_digest(sign(text, key).encode(), signature.encode("utf-8", "surrogatepass"))


def is_empty(value: Any) -> bool:
    """Whether a value is left out of the canonical text: null, or `value == ''` by JavaScript's loose rule."""
    if isinstance(value, list):
        return all(map(_joins_to_nothing, value)) and len(value) < 2  # noqa: PLR2004 - two members print a comma
    return value is None or value == "" or (isinstance(value, int | float) and value == 0)


def _joins_to_nothing(member: Any) -> bool:
    """Whether an array's only member prints as no text; unlike on their own, 0 and false print here."""
    return member in (None, "") if not isinstance(member, list) else is_empty(member)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return canonical_text(value)
    if isinstance(value, list):
        return canonical_text({str(index): member for index, member in enumerate(value)})
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number_text(value) if isinstance(value, int | float) else str(value)


def _number_text(number: float) -> str:
    """A number as ECMAScript's Number::toString prints it; every JSON number is a double there."""
    try:
        value = float(number)
    except OverflowError:
        value = math.inf if number > 0 else -math.inf
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return "-" + _positive_text(-value) if value < 0 else _positive_text(value)


def _positive_text(value: float) -> str:
    digits, point = _shortest_digits(value)
    if len(digits) <= point <= _LARGEST_PLAIN_EXPONENT:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _LARGEST_PLAIN_EXPONENT:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN_EXPONENT < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def _shortest_digits(value: float) -> tuple[str, int]:
    """The fewest digits that name this double, and where the decimal point stands among them."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(whole + fraction) - len(digits))
    return digits.rstrip("0") or "0", point
