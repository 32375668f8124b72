"""Sizes of memory and storage: `16G`, `8g`, `100Gi`. One type; each consumer takes only units that it knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from ppmlctl.spec.section import refusal
from ppmlctl.spec.spelled import Spelled


class Size(Spelled):
    """A size that keeps its spelling. Compares by bytes; every unit is a power of 1024, with or without `i`."""

    __slots__ = ()
    pattern = r"[0-9]{1,15}[kmgtpKMGTP]i?"

    @staticmethod
    def _worth(unit: str) -> int:
        return 1 << 10 * (1 + "kmgtp".index(unit[0].lower()))

    @staticmethod
    def _refusal(found: str) -> PydanticCustomError:
        fix = "write digits and a unit, such as 8g or 16G"
        return refusal("wrong-size", "a size is not understood", found=found, fix=fix)

    @classmethod
    def of_bytes(cls, count: int, units: str = "kmgtp") -> Size:
        """The size of `count` bytes in the largest of `units` that divides it; rounded down to the smallest unit."""
        powers = [(unit, cls._worth(unit)) for unit in units]
        unit, power = next(((u, p) for u, p in reversed(powers) if count >= p and count % p == 0), powers[0])
        return cls(f"{count // power}{unit}")

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        return self.amount


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
