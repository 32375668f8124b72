"""Amounts that keep the spelling which a person chose: digits and one unit."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any, ClassVar, Self

from pydantic_core import PydanticCustomError, core_schema

from ppmlctl.spec.yaml_scalar import kind_of


@total_ordering
class Spelled:
    """An amount with its spelling. Compares by the amount, with its own kind alone."""

    __slots__ = ("amount", "spelling")

    pattern: ClassVar[str]
    """The whole spelling as a regular expression; the schema shows it too."""

    amount: int

    def __init__(self, spelling: str) -> None:
        """Raises ValueError for anything but digits and one unit."""
        if not self._is_well_formed(spelling):
            raise ValueError(f"{spelling!r} is no {type(self).__name__.lower()}")
        self.spelling = spelling
        digits = spelling.removesuffix(self.unit)
        self.amount = int(digits) * self._worth(self.unit)

    @staticmethod
    def _worth(unit: str) -> int:
        """How much one of the unit is."""
        raise NotImplementedError

    @staticmethod
    def _refusal(found: str) -> PydanticCustomError:
        """What is told of another spelling."""
        raise NotImplementedError

    @property
    def unit(self) -> str:
        """What follows the digits: `g`, `Gi`, `m`."""
        return self.spelling.lstrip("0123456789")

    def __str__(self) -> str:
        return self.spelling

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spelling!r})"

    def __eq__(self, other: object) -> bool:
        return self.amount == other.amount if isinstance(other, type(self)) else NotImplemented

    def __lt__(self, other: Self) -> bool:
        return self.amount < other.amount

    def __hash__(self) -> int:
        return hash(self.amount)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{cls.pattern}$"}

    @classmethod
    def _is_well_formed(cls, spelling: str) -> bool:
        return re.fullmatch(cls.pattern, spelling) is not None

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and cls._is_well_formed(value):
            return cls(value)
        found = value if isinstance(value, str) else kind_of(value)
        raise cls._refusal(found)
