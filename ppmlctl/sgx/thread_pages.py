"""The two pages each thread of an enclave starts with: TCS, which the CPU reads, and TLS, which Gramine reads.

Source: Intel SDM Vol. 3D "Thread Control Structure"; `gen_area_content` in Gramine's `python/graminelibos/sgx_sign.py`.
"""

from __future__ import annotations

import struct

from ppmlctl.sgx.enclave_memory import EnclaveMemory
from ppmlctl.sgx.layout import PAGE

_SEGMENT_LIMIT = 0xFFF
_U32, _U64 = struct.Struct("<L"), struct.Struct("<Q")


def tcs_page(memory: EnclaveMemory, entry: int, thread: int) -> bytes:
    """The TCS of `thread`; everything in it is relative to the enclave's base."""
    layout, base, page = memory.layout, memory.base, bytearray(PAGE)
    _U64.pack_into(page, layout.tcs_ossa, memory.ssa.start + thread * memory.ssa_size - base)
    _U32.pack_into(page, layout.tcs_nssa, layout.ssa_frames)
    # Gramine adds the entry point to the image's start even where the image does not begin at page 0.
    _U64.pack_into(page, layout.tcs_oentry, memory.loader.start + entry - base)
    _U64.pack_into(page, layout.tcs_ogsbase, memory.tls.start + thread * PAGE - base)
    _U32.pack_into(page, layout.tcs_fslimit, _SEGMENT_LIMIT)
    _U32.pack_into(page, layout.tcs_gslimit, _SEGMENT_LIMIT)
    return bytes(page)


def tls_page(memory: EnclaveMemory, thread: int) -> bytes:
    """The TLS of `thread`; addresses in it are absolute, but for the TCS's."""
    layout = memory.layout
    stack_top = memory.stacks.end - thread * layout.stack_size
    signal_stack_top = memory.signal_stacks.end - thread * layout.signal_stack_size
    ssa = memory.ssa.start + thread * memory.ssa_size
    words = {
        layout.tls_self: memory.tls.start + thread * PAGE,
        layout.tls_canary: layout.canary,
        layout.tls_enclave_size: memory.enclave_size,
        layout.tls_tcs: memory.tcs.start + thread * layout.tcs_size - memory.base,
        layout.tls_stack_top: stack_top,
        layout.tls_signal_stack_low: signal_stack_top - layout.signal_stack_size,
        layout.tls_signal_stack_high: signal_stack_top,
        layout.tls_ssa: ssa,
        layout.tls_gpr: ssa + layout.ssa_frame_size - layout.gpr_size,
        layout.tls_manifest_size: memory.manifest_size,
        layout.tls_heap_min: memory.heap.start,
        layout.tls_heap_max: memory.heap.end,
    }
    page = bytearray(PAGE)
    for offset, value in words.items():
        _U64.pack_into(page, offset, value)
    return bytes(page)
