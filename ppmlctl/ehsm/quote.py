"""SGX quotes of DCAP's ECDSA scheme, version 3: what they say. Whether it is true is `dcap.verify_quote`'s to tell.

Layout: Intel's "SGX ECDSA Quote Library Reference", A.4 (header 48 bytes, report body 384, length 4, signature data);
the report body is the REPORT structure of the Intel SDM, volume 3D.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIZE_OF_HEADER, SIZE_OF_BODY = 48, 384
SIZE_OF_SIGNED = SIZE_OF_HEADER + SIZE_OF_BODY
SIZE_OF_REPORT_DATA = 64
VERSION, ECDSA_P256, TEE_SGX = 3, 2, 0

_HEADER = struct.Struct("<HHIHH16s20s")
_BODY = struct.Struct("<16sI12x16sQQ32s32x32s32x64sHHH42x16s64s")
_LENGTH = struct.Struct("<I")
_DEBUG = 1 << 1  # ATTRIBUTES.DEBUG in the Intel SDM, volume 3D


class QuoteError(ValueError):
    """Bytes that are no SGX DCAP quote of version 3."""


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
        return bool(self.flags & _DEBUG)

    def to_bytes(self) -> bytes:
        """The 384 bytes that a quote or report carries."""
        return _BODY.pack(*(getattr(self, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class QuoteHeader:
    """Who quoted, and how it is signed."""

    version: int
    attestation_key_type: int
    tee_type: int
    qe_svn: int
    pce_svn: int
    qe_vendor_id: bytes
    user_data: bytes

    def to_bytes(self) -> bytes:
        """The 48 bytes at a quote's start."""
        return _HEADER.pack(*(getattr(self, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Quote:
    """A parsed quote. Nothing of it is verified yet."""

    header: QuoteHeader
    body: ReportBody
    signature_data: bytes

    def to_bytes(self) -> bytes:
        """The quote as a verifier reads it."""
        return (
            self.header.to_bytes() + self.body.to_bytes() + _LENGTH.pack(len(self.signature_data)) + self.signature_data
        )


def parse_quote(raw: bytes) -> Quote:
    """Reads a quote. Raises QuoteError. Zero bytes after its end are allowed, since some drivers pad."""
    if len(raw) < SIZE_OF_SIGNED + _LENGTH.size:
        raise QuoteError(f"a quote has at least {SIZE_OF_SIGNED + _LENGTH.size} bytes, not {len(raw)}")
    header = _parse_header(raw)
    body = ReportBody(*_BODY.unpack_from(raw, SIZE_OF_HEADER))
    (length,) = _LENGTH.unpack_from(raw, SIZE_OF_SIGNED)
    start = SIZE_OF_SIGNED + _LENGTH.size
    if length > len(raw) - start:
        raise QuoteError(f"the signature data should have {length} bytes and has {len(raw) - start}")
    if any(raw[start + length :]):
        raise QuoteError("more bytes follow the signature data")
    return Quote(header, body, raw[start : start + length])


def _parse_header(raw: bytes) -> QuoteHeader:
    header = QuoteHeader(*_HEADER.unpack_from(raw))
    if header.version != VERSION:
        raise QuoteError(f"quote version {header.version} is not {VERSION}")
    if header.attestation_key_type != ECDSA_P256:
        raise QuoteError(f"attestation key type {header.attestation_key_type} is not ECDSA P-256")
    if header.tee_type != TEE_SGX:
        raise QuoteError(f"trusted execution environment {header.tee_type:#x} is not SGX")
    return header
