"""The filters and tests that expressions offer, each of which sees through secrets and stops at unknowns."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from itertools import islice
from typing import Any, get_args

from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.limits import LARGEST, MEMBER, refuse_larger, weighed
from ppmlctl.expressions.omit import refuse_omit
from ppmlctl.expressions.seeing import as_text, refuse_undefined, see_all
from ppmlctl.protection import Role, Tee, for_playbooks

KNOWN = "known value"
CONCATENATED = "~"
"""Names that nobody can write, for what parsing puts around operands."""

_MOST_DIGITS = 5000
_MOST_PLACES = 308
_LONGEST_WORD = 200
"""Characters of an argument that is looked up, or looked for, once for each member."""

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


def _combine(value: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {**_mapping(value, "combine"), **_mapping(other, "combine")}


def _having(values: Sequence[Any], key: str) -> list[Any]:
    return [value for value in values if _mapping(value, "having").get(key) is not None]


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ExpressionError(f"`{name}` takes mappings")
    return value


def _host_access(cluster: Mapping[str, Any], role: str, tee: str) -> dict[str, Any]:
    for word, known in ((role, get_args(Role)), (tee, get_args(Tee))):
        if word not in known:
            raise ExpressionError(f"`host_access` takes {', '.join(known)}")
    return for_playbooks(cluster, role, tee)


def _join(values: Sequence[Any], separator: str = "") -> str:
    texts = [as_text(value) for value in values]
    refuse_larger(sum(map(len, texts)) + len(separator) * len(texts), "join")
    return separator.join(texts)


def _keyed(values: Sequence[Any], key: str) -> list[dict[str, Any]]:
    return [{key: value} for value in values]


def _concatenated(values: Sequence[Any]) -> str:
    for value in values:
        refuse_omit(value)
    return _join(see_all(values))


def _prefixed(values: Sequence[Any], prefix: str) -> list[str]:
    refuse_larger(len(values) * (MEMBER + len(prefix)), "prefixed")
    return [f"{prefix}{as_text(value)}" for value in values]


def _replace(value: Any, old: str, new: str) -> str:
    text = as_text(value)
    refuse_larger(len(text) + text.count(old) * len(new), "replace")
    return text.replace(old, new)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if abs(precision) > _MOST_PLACES:
        raise ExpressionError(f"`round` takes up to {_MOST_PLACES} places")
    return FILTERS["round"](value, precision, method)


def _number(name: str) -> Callable[..., Any]:
    def number(value: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(value, str | bytes) and len(value) > _MOST_DIGITS:
            raise ExpressionError(f"`{name}` takes up to {_MOST_DIGITS} characters")
        return FILTERS[name](value, *arguments, **options)

    return number


def _with_words(name: str) -> Callable[..., Any]:
    """A filter whose text arguments say by what members are compared, or which characters are taken away."""

    @wraps(FILTERS[name])
    def with_words(*arguments: Any, **options: Any) -> Any:
        leading = 2 if hasattr(FILTERS[name], "jinja_pass_arg") else 1
        for word in (*arguments[leading:], *options.values()):
            if isinstance(word, str) and len(word) > _LONGEST_WORD:
                raise ExpressionError(f"arguments of `{name}` have up to {_LONGEST_WORD} characters")
        return FILTERS[name](*arguments, **options)

    return with_words


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


_OWN: dict[str, Callable[..., Any]] = {
    "b64encode": _b64encode,
    "combine": _combine,
    "having": _having,
    "host_access": _host_access,
    "join": _join,
    "keyed": _keyed,
    "prefixed": _prefixed,
    "replace": _replace,
    "string": as_text,
    "to_json": _to_json,
    KNOWN: lambda value: value,
    "round": _round,
    "int": _number("int"),
    "float": _number("float"),
    **{name: _with_words(name) for name in ("max", "min", "sort", "trim", "unique")},
    CONCATENATED: _concatenated,
}


def offered_filters() -> dict[str, Any]:
    """Jinja2's filters that give data, and our own."""
    return guarded_filters({name: FILTERS[name] for name in _FILTERS} | _OWN)


def guarded_filters(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """Functions of plain data as filters: secrets are seen through, unknowns end it, and all is weighed."""
    return {name: _guarded(name, function) for name, function in filters.items()}


def offered_tests() -> dict[str, Any]:
    """Jinja2's tests of data, as in `is defined`."""
    return {name: _guarded(name, TESTS[name]) for name in _TESTS}


def _guarded(name: str, function: Any) -> Callable[..., Any]:
    leading = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        for given in (*arguments[leading:], *options.values()):
            weighed(given, name)
        seen = [*arguments[:leading], *(_seen(name, argument) for argument in arguments[leading:])]
        if name not in _MAY_SEE_UNDEFINED:
            for value in seen[leading:]:
                refuse_undefined(value)
                refuse_omit(value)
        result = function(*seen, **{key: see_all(option) for key, option in options.items()})
        if isinstance(result, Iterator):
            result = list(islice(result, LARGEST // MEMBER + 1))
        weighed(result, name)
        return result

    return guarded


def _seen(name: str, argument: Any) -> Any:
    """An argument as `name` sees it. Operands of `~` are told apart from members of a list: none may be omitted."""
    return argument if name == CONCATENATED else see_all(argument)
