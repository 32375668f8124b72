"""DCAP's ECDSA quotes, SGX version 3 and 4, TDX version 4 and 5: what they say. Its truth is `verify_quote`'s to tell.

Layouts: Intel's "SGX ECDSA Quote Library Reference", A.4, and "TDX DCAP Quoting Library API", A.3: a header of 48
bytes, from version 5 on the body's type and size, the body, and the length of the signature data before it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ppmlctl.dcap.refusal import QuoteError, Reason
from ppmlctl.dcap.report import SIZE_OF_BODY, SIZE_OF_TD10, SIZE_OF_TD15, ReportBody, TdReport

SIZE_OF_HEADER = 48
VERSION, VERSION_OF_TDX, VERSION_OF_TDX15 = 3, 4, 5
ECDSA_P256, TEE_SGX, TEE_TDX = 2, 0, 0x81

_HEADER = struct.Struct("<HHIHH16s20s")
_BODY = struct.Struct("<HI")
_LENGTH = struct.Struct("<I")
_SMALLEST = SIZE_OF_HEADER + SIZE_OF_BODY + _LENGTH.size
_SIZES = {1: SIZE_OF_BODY, 2: SIZE_OF_TD10, 3: SIZE_OF_TD15}
"""Sizes of bodies by their type in a quote of version 5."""
_TYPE_OF_SGX = 1
_VERSIONS = {TEE_SGX: (VERSION, VERSION_OF_TDX), TEE_TDX: (VERSION_OF_TDX, VERSION_OF_TDX15)}


@dataclass(frozen=True)
class QuoteHeader:
    """Who quoted, and how it is signed. From version 4 on the two SVNs are reserved."""

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
    body: ReportBody | TdReport
    signature_data: bytes

    def signed_bytes(self) -> bytes:
        """What the attestation key signs."""
        body = self.body.to_bytes()
        kinds = {size: kind for kind, size in _SIZES.items()}
        prefix = _BODY.pack(kinds[len(body)], len(body)) if self.header.version == VERSION_OF_TDX15 else b""
        return self.header.to_bytes() + prefix + body

    def to_bytes(self) -> bytes:
        """The quote as a verifier reads it."""
        return self.signed_bytes() + _LENGTH.pack(len(self.signature_data)) + self.signature_data


def parse_quote(raw: bytes) -> Quote:
    """Reads a quote. Raises QuoteError. Zero bytes after its end are allowed, since some drivers pad."""
    if len(raw) < _SMALLEST:
        raise QuoteError(f"a quote has at least {_SMALLEST} bytes, not {len(raw)}")
    header = _parse_header(raw)
    start, size = _body_of(header, raw)
    end = start + size
    if len(raw) < end + _LENGTH.size:
        raise QuoteError(f"a quote with this body has at least {end + _LENGTH.size} bytes, not {len(raw)}")
    body = ReportBody.parse(raw, start) if size == SIZE_OF_BODY else TdReport.parse(raw, start, size)
    (length,) = _LENGTH.unpack_from(raw, end)
    end += _LENGTH.size
    if length > len(raw) - end:
        raise QuoteError(f"the signature data should have {length} bytes and has {len(raw) - end}")
    if any(raw[end + length :]):
        raise QuoteError("more bytes follow the signature data")
    return Quote(header, body, raw[end : end + length])


def parse_sgx_report(raw: bytes) -> ReportBody:
    """The report in a quote that must be an enclave's. Raises QuoteError."""
    body = parse_quote(raw).body
    if isinstance(body, ReportBody):
        return body
    raise QuoteError("it quotes a TDX domain, not an SGX enclave", Reason.UNSUPPORTED_VERSION)


def _parse_header(raw: bytes) -> QuoteHeader:
    header = QuoteHeader(*_HEADER.unpack_from(raw))
    if header.tee_type not in _VERSIONS:
        raise QuoteError(f"trusted execution environment {header.tee_type:#x} is neither SGX nor TDX")
    if header.version not in _VERSIONS[header.tee_type]:
        tee, versions = tee_name(header), " or ".join(map(str, _VERSIONS[header.tee_type]))
        words = f"version {header.version} is no version of {tee} quotes; supported: {versions}"
        raise QuoteError(words, Reason.UNSUPPORTED_VERSION)
    if header.attestation_key_type != ECDSA_P256:
        words = f"attestation key type {header.attestation_key_type} is not ECDSA P-256"
        raise QuoteError(words, Reason.UNSUPPORTED_KEY_TYPE)
    return header


def tee_name(header: QuoteHeader) -> str:
    """`SGX` or `TDX`."""
    return "SGX" if header.tee_type == TEE_SGX else "TDX"


def _body_of(header: QuoteHeader, raw: bytes) -> tuple[int, int]:
    """Where the body begins, and its size."""
    if header.version != VERSION_OF_TDX15:
        return SIZE_OF_HEADER, SIZE_OF_BODY if header.tee_type == TEE_SGX else SIZE_OF_TD10
    kind, size = _BODY.unpack_from(raw, SIZE_OF_HEADER)
    if kind == _TYPE_OF_SGX or kind not in _SIZES:
        raise QuoteError(f"body type {kind} is no TDX report; supported: 2 and 3", Reason.UNSUPPORTED_VERSION)
    if size != _SIZES[kind]:
        raise QuoteError(f"a body of type {kind} has {_SIZES[kind]} bytes, not {size}")
    return SIZE_OF_HEADER + _BODY.size, size
