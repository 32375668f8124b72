"""What the CPU is asked to enforce for an enclave: ATTRIBUTES, MISCSELECT and their masks.

Source: Intel SDM Vol. 3D, "SECS" and "Enclave Signature Structure"; the choice of bits is `get_enclave_attributes` in
Gramine's `python/graminelibos/sgx_sign.py` at v1.3.1 to v1.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.gramine import GramineVersion

FLAG_DEBUG = 0x2
FLAG_MODE64BIT = 0x4
FLAGS_MASK = 0xFFFF_FFFF_FFFF_FFFF

XFRM_LEGACY = 0x3
XFRM_MASK = 0xFFFF_FFFF_FFF9_FF1B
XFRM_BITS = {"avx": 0x4, "avx512": 0xE4, "amx": 0x6_0000, "mpx": 0x18, "pkru": 0x200}
"""In the order in which Gramine applies them; AVX512 contains the bit of AVX."""

MISC_EXINFO = 0x1
MISC_MASK = 0xFFFF_FFFF

_MAY_STAY_OPEN = ("avx", "avx512", "amx")


@dataclass(frozen=True)
class Attributes:
    """Bits that EINIT compares with the enclave, under their masks."""

    flags: int
    xfrm: int
    flags_mask: int = FLAGS_MASK
    xfrm_mask: int = XFRM_MASK
    misc_select: int = 0
    misc_mask: int = MISC_MASK

    @property
    def is_debug(self) -> bool:
        """Whether a debugger may read the enclave: then it protects nothing.

        Either the flag is set, or its mask leaves to whoever starts the enclave whether it is.
        """
        return bool(self.flags & FLAG_DEBUG) or not self.flags_mask & FLAG_DEBUG


def attributes_of(sgx: Mapping[str, object], version: GramineVersion) -> Attributes:
    """The attributes that Gramine of this version gives an enclave with this `[sgx]` table. Raises ManifestError."""
    debug = FLAG_DEBUG if _is_on(sgx.get("debug"), version) else 0
    xfrm, xfrm_mask = _xfrm(sgx, version)
    return Attributes(
        flags=FLAG_MODE64BIT | debug, xfrm=xfrm, xfrm_mask=xfrm_mask, misc_select=_misc_select(sgx, version)
    )


def _is_on(value: object, version: GramineVersion) -> bool:
    return value is True if version.switches_are_booleans else value == 1


def _misc_select(sgx: Mapping[str, object], version: GramineVersion) -> int:
    given = [key for key in version.exinfo_keys if key in sgx]
    if len(given) > 1:
        raise ManifestError(f"sgx.{given[0]} and sgx.{given[1]} say the same thing; Gramine refuses both at once")
    return MISC_EXINFO if any(_is_on(sgx[key], version) for key in given) else 0


def _xfrm(sgx: Mapping[str, object], version: GramineVersion) -> tuple[int, int]:
    required = [feature for feature in XFRM_BITS if f"require_{feature}" in sgx]
    features = sgx.get("cpu_features") if version.has_cpu_features else None
    if features is None:
        switched_on = [f for f in required if version.has_require_keys and _is_on(sgx[f"require_{f}"], version)]
        return XFRM_LEGACY | _union(XFRM_BITS[feature] for feature in switched_on), XFRM_MASK
    if required and version.has_require_keys:
        raise ManifestError(f"sgx.cpu_features and sgx.require_{required[0]} cannot stand in one manifest")
    if not isinstance(features, Mapping):
        raise ManifestError("sgx.cpu_features is not a table")
    return _xfrm_of_features(features)


def _union(bits: Iterable[int]) -> int:
    union = 0
    for bit in bits:
        union |= bit
    return union


def _xfrm_of_features(features: Mapping[str, object]) -> tuple[int, int]:
    xfrm, mask = XFRM_LEGACY, XFRM_MASK
    for feature, bits in XFRM_BITS.items():
        choice = features.get(feature)
        if choice == "required":
            xfrm, mask = xfrm | bits, mask | bits
        elif choice == "disabled":
            xfrm, mask = xfrm & ~bits, mask | bits
        elif choice is not None and (choice != "unspecified" or feature not in _MAY_STAY_OPEN):
            raise ManifestError(f"sgx.cpu_features.{feature} has a value that Gramine does not allow")
    return xfrm, mask
