"""What the processor attests: of an enclave in an SGX report, of a trust domain in a TDX report.

Layouts: REPORT of the Intel SDM, volume 3D; TDREPORT bodies of Intel's "TDX DCAP Quoting Library API", A.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIZE_OF_REPORT_DATA = 64
_SGX = struct.Struct("<16sI12x16sQQ32s32x32s32x64sHHH42x16s64s")
_TD10 = struct.Struct("<16s48s48s8s8s8s48s48s48s48s48s48s48s48s64s")
_TD15 = struct.Struct("<16s48s")
SIZE_OF_BODY, SIZE_OF_TD10, SIZE_OF_TD15 = _SGX.size, _TD10.size, _TD10.size + _TD15.size
_SGX_DEBUG = 1 << 1  # ATTRIBUTES.DEBUG in the Intel SDM, volume 3D


@dataclass(frozen=True)
class ReportBody:
    """What the processor attests of one enclave."""

    cpu_svn: bytes
    misc_select: int
    isv_ext_prod_id: bytes
    flags: int
    xfrm: int
    mr_enclave: bytes
    mr_signer: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    isv_family_id: bytes
    report_data: bytes

    @property
    def debug(self) -> bool:
        """Whether a debugger can read the enclave: then nothing it says is worth anything."""
        return bool(self.flags & _SGX_DEBUG)

    @classmethod
    def parse(cls, raw: bytes, offset: int = 0) -> ReportBody:
        """Reads the 384 bytes at the offset, which must be there."""
        return cls(*_SGX.unpack_from(raw, offset))

    def to_bytes(self) -> bytes:
        """The 384 bytes that a quote or report carries."""
        return _SGX.pack(*(getattr(self, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class TdReport:
    """What the processor attests of one trust domain. The last two fields are None in a TDX 1.0 report."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    report_data: bytes
    tee_tcb_svn2: bytes | None = None
    mr_service_td: bytes | None = None

    @property
    def debug(self) -> bool:
        """Whether the host can read the domain: then nothing it says is worth anything.

        TUD, bits 7:0 of ATTRIBUTES in the TDX module's specification: with any of them set, the domain is untrusted.
        """
        return self.td_attributes[0] != 0

    @classmethod
    def parse(cls, raw: bytes, offset: int, size: int) -> TdReport:
        """Reads the 584 or 648 bytes at the offset, which must be there."""
        extension = _TD15.unpack_from(raw, offset + SIZE_OF_TD10) if size == SIZE_OF_TD15 else ()
        return cls(*_TD10.unpack_from(raw, offset), *extension)

    def to_bytes(self) -> bytes:
        """The bytes that a quote carries."""
        values = [getattr(self, name) for name in self.__dataclass_fields__]
        extension = _TD15.pack(*values[-2:]) if self.mr_service_td is not None else b""
        return _TD10.pack(*values[:-2]) + extension
