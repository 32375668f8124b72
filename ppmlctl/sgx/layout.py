"""The constants by which Gramine lays an enclave out in memory, and the file in which an image carries them.

Source: `pal_linux_defs.h`, `pal_tcb.h`, `sgx_arch.h` and `generated_offsets.c` in Gramine's `pal/src/host/linux-sgx`;
the values are the same from v1.3.1 to v1.9. A fork may differ, so an image's own file goes before this table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from ppmlctl.sgx.errors import GramineVersionError

PAGE = 0x1000
"""The architecture's page, in bytes; Gramine's own PAGESIZE must be the same."""

_NUMBER = r"0[xX][0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,19}"
_CONSTANT = re.compile(rf"^([A-Z][A-Z0-9_]*)[ \t]*=[ \t]*({_NUMBER})[ \t]*$", re.MULTILINE)
_SMALL = 1 << 32


@dataclass(frozen=True)
class Layout:
    """Sizes in bytes, offsets in bytes from the start of a TCS or TLS page."""

    page_size: int = PAGE
    ssa_frame_size: int = 0x4000
    ssa_frames: int = 2
    stack_size: int = 0x40000
    signal_stack_size: int = 0x10000
    gpr_size: int = 0xB8
    tcs_size: int = PAGE
    enclave_base: int = 0
    lowest_address: int = 0x10000
    canary: int = 0xBAD_BADB_ADBA_D

    tcs_ossa: int = 0x10
    tcs_nssa: int = 0x1C
    tcs_oentry: int = 0x20
    tcs_ogsbase: int = 0x38
    tcs_fslimit: int = 0x40
    tcs_gslimit: int = 0x44

    tls_self: int = 0x000
    tls_canary: int = 0x008
    tls_enclave_size: int = 0x110
    tls_tcs: int = 0x118
    tls_stack_top: int = 0x120
    tls_signal_stack_low: int = 0x130
    tls_signal_stack_high: int = 0x138
    tls_ssa: int = 0x148
    tls_gpr: int = 0x150
    tls_manifest_size: int = 0x1A0
    tls_heap_min: int = 0x1A8
    tls_heap_max: int = 0x1B0

    def __post_init__(self) -> None:
        """Raises GramineVersionError for constants that describe no enclave."""
        areas = (self.ssa_frame_size, self.stack_size, self.signal_stack_size, self.enclave_base, self.lowest_address)
        if self.page_size != PAGE or self.tcs_size != PAGE or any(size % PAGE for size in areas):
            raise GramineVersionError("Gramine's constants do not fit pages of 4096 bytes")
        if not (0 < self.ssa_frames <= PAGE and self.gpr_size <= self.ssa_frame_size <= _SMALL):
            raise GramineVersionError("Gramine's constants describe no SSA frame")
        if not all(0 < size <= _SMALL for size in (self.stack_size, self.signal_stack_size)):
            raise GramineVersionError("Gramine's constants describe no stack")
        if max(self._in_page()) > PAGE - 8 or max(self.canary, self.enclave_base, self.lowest_address) >= 1 << 64:
            raise GramineVersionError("Gramine's constants point outside a page")

    def _in_page(self) -> list[int]:
        names = [field.name for field in fields(self) if field.name.startswith(("tcs_", "tls_"))]
        return [getattr(self, name) for name in names if name != "tcs_size"]


UPSTREAM_NAMES = {
    "PAGESIZE": "page_size",
    "SSA_FRAME_SIZE": "ssa_frame_size",
    "SSA_FRAME_NUM": "ssa_frames",
    "ENCLAVE_STACK_SIZE": "stack_size",
    "ENCLAVE_SIG_STACK_SIZE": "signal_stack_size",
    "SGX_GPR_SIZE": "gpr_size",
    "TCS_SIZE": "tcs_size",
    "DEFAULT_ENCLAVE_BASE": "enclave_base",
    "MMAP_MIN_ADDR": "lowest_address",
    "STACK_PROTECTOR_CANARY_DEFAULT": "canary",
    "TCS_OSSA": "tcs_ossa",
    "TCS_NSSA": "tcs_nssa",
    "TCS_OENTRY": "tcs_oentry",
    "TCS_OGS_BASE": "tcs_ogsbase",
    "TCS_OFS_LIMIT": "tcs_fslimit",
    "TCS_OGS_LIMIT": "tcs_gslimit",
    "SGX_COMMON_SELF": "tls_self",
    "SGX_COMMON_STACK_PROTECTOR_CANARY": "tls_canary",
    "SGX_ENCLAVE_SIZE": "tls_enclave_size",
    "SGX_TCS_OFFSET": "tls_tcs",
    "SGX_INITIAL_STACK_ADDR": "tls_stack_top",
    "SGX_SIG_STACK_LOW": "tls_signal_stack_low",
    "SGX_SIG_STACK_HIGH": "tls_signal_stack_high",
    "SGX_SSA": "tls_ssa",
    "SGX_GPR": "tls_gpr",
    "SGX_MANIFEST_SIZE": "tls_manifest_size",
    "SGX_HEAP_MIN": "tls_heap_min",
    "SGX_HEAP_MAX": "tls_heap_max",
}
"""Gramine's name of each constant, and ours."""


def parse_offsets(text: str) -> Layout:
    """The layout in the text of `_offsets.py`: plain `NAME = 0x…` lines, never executed. Other lines are passed over.

    Raises GramineVersionError if a constant is missing or the constants describe no enclave.
    """
    found = {name: int(value, 0) for name, value in _CONSTANT.findall(text)}
    missing = sorted(UPSTREAM_NAMES.keys() - found.keys())
    if missing:
        raise GramineVersionError(f"Gramine's constants lack {', '.join(missing)}")
    return Layout(**{ours: found[upstream] for upstream, ours in UPSTREAM_NAMES.items()})
