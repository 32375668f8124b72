"""What an evaluation gets to see of a value: an unknown ends it, a secret marks its result as a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2.runtime import Undefined

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.omit import OMIT, refuse_omit
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

_secrets_seen: ContextVar[list[Secret] | None] = ContextVar("_secrets_seen", default=None)


class UnknownSeenError(Exception):
    """Ends an evaluation that came upon a value that is not known yet."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(str(unknown))
        self.unknown = unknown


@contextmanager
def watching_secrets() -> Iterator[list[Secret]]:
    """The secrets that are seen inside this block."""
    seen: list[Secret] = []
    token = _secrets_seen.set(seen)
    try:
        yield seen
    finally:
        _secrets_seen.reset(token)


def see(value: Any) -> Any:
    """The value itself, a secret's plain value. Raises UnknownSeenError, SecretLockedError."""
    if isinstance(value, Unknown):
        raise UnknownSeenError(value)
    if isinstance(value, Secret):
        seen = _secrets_seen.get()
        if seen is not None:
            seen.append(value)
        return value.reveal()
    return value


def see_all(value: Any) -> Any:
    """The same for everything inside nested mappings and sequences, as filters and comparisons see them."""
    if isinstance(value, Mapping):
        return {key: see_all(member) for key, member in value.items() if member is not OMIT}
    if isinstance(value, list | tuple):
        return [see_all(member) for member in value if member is not OMIT]
    return see(value)


def as_text(value: Any) -> str:
    """How a value stands inside a text. Raises ExpressionError for what is no scalar, UndefinedError for nothing."""
    refuse_undefined(value)
    refuse_omit(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _decoded(value)
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    raise ExpressionError(f"a {type(value).__name__} cannot stand inside a text")


def as_data(value: Any) -> Any:
    """A result as plain data, in which secrets and unknowns stay what they are, and nothing is that is omitted."""
    refuse_undefined(value)
    if value is None or value is OMIT or isinstance(value, str | bytes | int | float | Secret | Unknown):
        return value
    if isinstance(value, Mapping):
        if OMIT in value:
            refuse_omit(OMIT)
        return {key: as_data(member) for key, member in value.items() if member is not OMIT}
    if isinstance(value, Iterable):
        return [as_data(member) for member in value if member is not OMIT]
    raise ExpressionError(f"a {type(value).__name__} is no data")


def refuse_undefined(value: Any) -> None:
    """Raises UndefinedError for Jinja2's stand-in for what is not there."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja2's own way to say what is undefined


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ExpressionError("bytes that are no text cannot stand inside one; see the filter b64encode") from None
