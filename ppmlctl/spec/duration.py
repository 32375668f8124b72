"""Spans of time: `90s`, `30m`, `2h`, `1d`."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from ppmlctl.spec.section import refusal
from ppmlctl.spec.spelled import Spelled

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(Spelled):
    """A span of time that keeps its spelling. Compares by seconds."""

    __slots__ = ()
    pattern = r"[0-9]{1,9}[smhd]"

    @staticmethod
    def _worth(unit: str) -> int:
        return _SECONDS[unit]

    @staticmethod
    def _refusal(found: str) -> PydanticCustomError:
        fix = "write digits and a unit, such as 90s, 30m or 2h"
        return refusal("wrong-duration", "a duration is not understood", found=found, fix=fix)

    @property
    def seconds(self) -> int:
        """The span in seconds."""
        return self.amount
