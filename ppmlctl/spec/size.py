"""Sizes of memory and storage: `16G`, `8g`, `100Gi`. One type; each consumer takes only units that it knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import total_ordering
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

from ppmlctl.spec.section import refusal
from ppmlctl.spec.yaml_scalar import kind_of

_FORM = re.compile(r"([0-9]{1,15})([kmgtpKMGTP])(i?)")
_PATTERN = r"^[0-9]{1,15}[kmgtpKMGTP]i?$"


@total_ordering
class Size:
    """A size that keeps its spelling. Compares by bytes; every unit is a power of 1024, with or without `i`."""

    __slots__ = ("bytes", "spelling")

    def __init__(self, spelling: str) -> None:
        """Raises ValueError for anything but digits and one unit."""
        form = _FORM.fullmatch(spelling)
        if form is None:
            raise ValueError(f"{spelling!r} is no size")
        self.spelling = spelling
        self.bytes = int(form[1]) << 10 * (1 + "kmgtp".index(form[2].lower()))

    @classmethod
    def of_bytes(cls, count: int, units: str = "kmgtp") -> Size:
        """The size of `count` bytes in the largest of `units` that divides it; rounded down to the smallest unit."""
        powers = [(unit, 1 << 10 * (1 + "kmgtp".index(unit.lower()))) for unit in units]
        unit, power = next(((u, p) for u, p in reversed(powers) if count >= p and count % p == 0), powers[0])
        return cls(f"{count // power}{unit}")

    @property
    def unit(self) -> str:
        """What follows the digits: `g`, `G`, `Gi`."""
        return self.spelling.lstrip("0123456789")

    def __str__(self) -> str:
        return self.spelling

    def __repr__(self) -> str:
        return f"Size({self.spelling!r})"

    def __eq__(self, other: object) -> bool:
        return self.bytes == other.bytes if isinstance(other, Size) else NotImplemented

    def __lt__(self, other: Size) -> bool:
        return self.bytes < other.bytes

    def __hash__(self) -> int:
        return hash(self.bytes)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN}

    @classmethod
    def _validate(cls, value: object) -> Size:
        if isinstance(value, Size):
            return value
        if isinstance(value, str) and _FORM.fullmatch(value):
            return cls(value)
        found = value if isinstance(value, str) else kind_of(value)
        raise refusal(
            "wrong-size", "a size is not understood", found=found, fix="write digits and a unit, such as 8g or 16G"
        )


def _in_units(units: tuple[str, ...], consumer: str) -> Callable[[Size], Size]:
    def check(size: Size) -> Size:
        if size.unit in units:
            return size
        fix = f"write it in {', '.join(units[:-1])} or {units[-1]}"
        raise refusal("wrong-size-unit", f"{consumer} does not know this unit", found=str(size), fix=fix)

    return check


def _schema(units: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^[0-9]{{1,15}}{units}$"})


EnclaveSize = Annotated[Size, AfterValidator(_in_units(("K", "M", "G"), "Gramine")), _schema("[KMG]")]
"""As `sgx.enclave_size` is written in a manifest; Gramine refuses small letters."""

JvmSize = Annotated[
    Size, AfterValidator(_in_units(("k", "m", "g", "t", "K", "M", "G", "T"), "the JVM")), _schema("[kmgtKMGT]")
]
"""As -Xmx and Spark's memory settings are written; neither knows `Gi`."""

StorageSize = Annotated[
    Size, AfterValidator(_in_units(("Ki", "Mi", "Gi", "Ti", "Pi"), "this setting")), _schema("[KMGTP]i")
]
"""As a Kubernetes quantity is written. Only units with `i`: to Kubernetes, `100G` is a power of ten."""

EpcSize = Annotated[Size, PlainSerializer(lambda size: size.bytes, return_type=int), _schema("[kmgtpKMGTP]i?")]
"""Enclave page cache. Serialised in bytes: `sgx.intel.com/epc` is a count, where `16G` would be a power of ten."""
