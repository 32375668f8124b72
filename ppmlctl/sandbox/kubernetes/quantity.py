"""Quantities in the one spelling that the API server gives back: `1000m` is `1`, `1024Mi` is `1Gi`.

Source: apimachinery, pkg/api/resource/quantity.go (canonical form).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")
_LEAST = Decimal("1e-9")


class QuantityError(ValueError):
    """The text is no quantity."""


def canonical(value: str | float) -> str:
    """The canonical spelling. Raises QuantityError."""
    found = _parse(value)
    if found.exponent:
        return _scientific(found.amount)
    is_binary = found.suffix in BINARY and found.suffix and found.amount == int(found.amount)
    return _binary(int(found.amount)) if is_binary and abs(found.amount) >= 1 << 10 else _decimal(found.amount)


def amount(value: str | float) -> Decimal:
    """The quantity as a number. Raises QuantityError."""
    return _parse(value).amount


@dataclass(frozen=True)
class _Parsed:
    amount: Decimal
    suffix: str
    exponent: str


def _parse(value: str | float) -> _Parsed:
    match = _QUANTITY.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise QuantityError(str(value))
    number, exponent, suffix = Decimal(match[1]), match[2] or "", match[3] or ""
    if exponent:
        return _Parsed(number.scaleb(int(exponent[1:])), "", exponent)
    if suffix and suffix in BINARY:
        return _Parsed(number * (1 << BINARY[suffix]), suffix, "")
    return _Parsed(number.scaleb(DECIMAL[suffix]), suffix, "")


def _decimal(amount: Decimal) -> str:
    amount = amount.quantize(_LEAST).normalize() if amount else Decimal(0)
    for suffix, power in sorted(DECIMAL.items(), key=lambda item: -item[1]):
        scaled = amount.scaleb(-power)
        if amount and scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return "0"


def _scientific(amount: Decimal) -> str:
    for power in range(18, -10, -3):
        scaled = amount.scaleb(-power)
        if amount and scaled == scaled.to_integral_value():
            return f"{int(scaled)}e{power}" if power else str(int(scaled))
    return "0"


def _binary(amount: int) -> str:
    for suffix, power in sorted(BINARY.items(), key=lambda item: -item[1]):
        if amount % (1 << power) == 0:
            return f"{amount >> power}{suffix}"
    return str(amount)
