"""JSON from outside: bounded in size, depth and number of values before anything is believed of it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

LARGEST = 1 << 25
"""Bytes of a document: a page of a cluster's objects has a few megabytes."""
MOST_VALUES = 1_000_000
"""Each takes a hundred bytes of memory and more."""
DEEPEST = 200


def parse_foreign(content: bytes | str, most: int = LARGEST) -> Any:
    """The value. Raises ValueError, whose words quote nothing, for whatever cannot be taken as JSON in UTF-8.

    Also for numbers that are not finite or have thousands of digits, and for text that no file could hold.
    """
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    comma, opening, nested, escape = (",", "[", "{", "\\u") if isinstance(content, str) else (b",", b"[", b"{", b"\\u")
    if content.count(comma) + content.count(opening) + content.count(nested) > MOST_VALUES:  # type: ignore[arg-type]
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    try:
        value = json.loads(content, parse_constant=_refused, parse_float=_finite)
        if escape in content:  # type: ignore[operator]
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except UnicodeError:
        raise ValueError("it is not UTF-8") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    _refuse_deeper(value)
    return value


def _refuse_deeper(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return
        level = [
            member
            for container in level
            for member in (container.values() if type(container) is dict else container)
            if type(member) is dict or type(member) is list
        ]
    raise ValueError(f"it is nested more than {DEEPEST} deep")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError
    return value


def _refused(_name: str) -> NoReturn:
    raise ValueError
