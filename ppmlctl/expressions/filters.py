"""The filters and tests that expressions offer, each of which sees through secrets and stops at unknowns."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.seeing import as_text, refuse_undefined, see_all

LARGEST = 1_000_000
"""Characters or members that one operation may give."""

KNOWN = "known value"
TEXT = "as text"
"""Names that nobody can write, for what parsing puts around operands."""

_FILTERS = (
    *("abs", "d", "default", "first", "float", "int", "last", "length", "list", "lower", "max", "min"),
    *("round", "sort", "trim", "unique", "upper"),
)
_TESTS = (
    *("boolean", "defined", "divisibleby", "even", "false", "in", "mapping", "none", "number", "odd"),
    *("sequence", "string", "true", "undefined"),
)
_MAY_SEE_UNDEFINED = {"d", "default", "defined", "undefined"}


def _b64encode(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _join(values: Sequence[Any], separator: str = "") -> str:
    texts = [as_text(value) for value in values]
    refuse_larger(sum(map(len, texts)) + len(separator) * len(texts), "join")
    return separator.join(texts)


def _keyed(values: Sequence[Any], key: str) -> list[dict[str, Any]]:
    return [{key: value} for value in values]


def _prefixed(values: Sequence[Any], prefix: str) -> list[str]:
    return [f"{prefix}{as_text(value)}" for value in values]


def _replace(value: Any, old: str, new: str) -> str:
    text = as_text(value)
    refuse_larger(len(text) + text.count(old) * len(new), "replace")
    return text.replace(old, new)


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


_OWN: dict[str, Callable[..., Any]] = {
    "b64encode": _b64encode,
    "join": _join,
    "keyed": _keyed,
    "prefixed": _prefixed,
    "replace": _replace,
    "string": as_text,
    "to_json": _to_json,
    KNOWN: lambda value: value,
    TEXT: as_text,
}


def refuse_larger(size: int, operation: str) -> None:
    """Raises ExpressionError where a result would have more than LARGEST characters or members."""
    if size > LARGEST:
        raise ExpressionError(f"the result of `{operation}` is longer than {LARGEST}")


def weight(value: Any) -> int:
    """Characters and members of a value, nested ones counted each time they occur."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(1 + weight(key) + weight(member) for key, member in value.items())
    if isinstance(value, list | tuple):
        return sum(1 + weight(member) for member in value)
    return 1


def offered_filters() -> dict[str, Any]:
    """Jinja2's filters that give data, and our own."""
    offered: dict[str, Any] = {name: FILTERS[name] for name in _FILTERS}
    return {name: _guarded(name, function) for name, function in (offered | _OWN).items()}


def offered_tests() -> dict[str, Any]:
    """Jinja2's tests of data, as in `is defined`."""
    return {name: _guarded(name, TESTS[name]) for name in _TESTS}


def _guarded(name: str, function: Any) -> Callable[..., Any]:
    leading = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        seen = [*arguments[:leading], *(see_all(argument) for argument in arguments[leading:])]
        if name not in _MAY_SEE_UNDEFINED:
            for value in seen[leading:]:
                refuse_undefined(value)
        return function(*seen, **{key: see_all(option) for key, option in options.items()})

    return guarded
