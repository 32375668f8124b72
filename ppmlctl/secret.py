"""A secret value that never becomes text by accident.

Its plain value is asked for by name (`reveal`) at the one place that sends it. A secret that is kept somewhere has a
handle that says where (`vault:NAME`, `file:PATH`, `kubernetes:NAMESPACE/NAME/KEY`); the handle is public, the value
is not.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NoReturn

from pydantic_core import core_schema

MASK = "(secret)"


class SecretLockedError(Exception):
    """The value of a secret is not available, because the vault is locked."""


class Secret:
    """Text or bytes that are masked in repr, str, format and serialisation."""

    __slots__ = ("_load", "_value", "handle")

    def __init__(
        self,
        value: str | bytes | None = None,
        *,
        handle: str | None = None,
        load: Callable[[], str | bytes] | None = None,
    ) -> None:
        """A value at hand, or `load` to fetch it when it is first revealed; `load` may raise SecretLockedError."""
        self._value = value
        self._load = load
        self.handle = handle

    def reveal(self) -> str | bytes:
        """The plain value. Raises SecretLockedError where it is not available."""
        if self._value is None:
            if self._load is None:
                raise SecretLockedError(self.handle or "unnamed secret")
            self._value = self._load()
        return self._value

    def reveal_bytes(self) -> bytes:
        """The plain value as bytes; text is encoded as UTF-8."""
        value = self.reveal()
        return value.encode() if isinstance(value, str) else value

    def reveal_text(self) -> str:
        """The plain value as text; bytes are decoded as UTF-8."""
        value = self.reveal()
        return value.decode() if isinstance(value, bytes) else value

    def is_available(self) -> bool:
        """Whether the value can be had now."""
        try:
            self.reveal()
        except SecretLockedError:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.reveal_bytes(), other.reveal_bytes())

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"Secret({self.handle or ''})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> core_schema.CoreSchema:
        """Takes a Secret as it is, wraps plain text or bytes, and serialises to the mask."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, str]:
        return {"type": "string"}

    @classmethod
    def _validate(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str | bytes):
            return cls(value)
        raise ValueError("a secret is text or bytes")
