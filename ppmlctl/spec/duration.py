"""Spans of time: `90s`, `30m`, `2h`, `1d`."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any

from pydantic_core import core_schema

from ppmlctl.spec.section import refusal
from ppmlctl.spec.yaml_scalar import kind_of

_FORM = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@total_ordering
class Duration:
    """A span of time that keeps its spelling. Compares by seconds."""

    __slots__ = ("seconds", "spelling")

    def __init__(self, spelling: str) -> None:
        """Raises ValueError for anything but digits and one unit."""
        form = _FORM.fullmatch(spelling)
        if form is None:
            raise ValueError(f"{spelling!r} is no duration")
        self.spelling = spelling
        self.seconds = int(form[1]) * _SECONDS[form[2]]

    def __str__(self) -> str:
        return self.spelling

    def __repr__(self) -> str:
        return f"Duration({self.spelling!r})"

    def __eq__(self, other: object) -> bool:
        return self.seconds == other.seconds if isinstance(other, Duration) else NotImplemented

    def __lt__(self, other: Duration) -> bool:
        return self.seconds < other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,9}[smhd]$"}

    @classmethod
    def _validate(cls, value: object) -> Duration:
        if isinstance(value, Duration):
            return value
        if isinstance(value, str) and _FORM.fullmatch(value):
            return cls(value)
        found = value if isinstance(value, str) else kind_of(value)
        fix = "write digits and a unit, such as 90s, 30m or 2h"
        raise refusal("wrong-duration", "a duration is not understood", found=found, fix=fix)
