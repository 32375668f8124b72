"""The signature data of a quote: the chain from its signature, by the quoting enclave's report, to certificates.

Layout: Intel's "SGX ECDSA Quote Library Reference", A.4, tables 4 to 9. Read strictly: every length must fill what is
around it, and certificates are written in the one form that Intel's service writes. So no byte is without meaning, and
none can be changed unnoticed, not even in parts that no signature covers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ppmlctl.dcap.pem import pem_certificates
from ppmlctl.dcap.quote import VERSION, Quote
from ppmlctl.dcap.refusal import QuoteError, Reason
from ppmlctl.dcap.report import SIZE_OF_BODY, ReportBody

PCK_CHAIN, QE_REPORT = 5, 6
"""Types of certification data."""
SIZE_OF_SIGNATURE = 64
CHAIN_LENGTH = 3
"""Certificates of a platform: its PCK, the CA of its kind, the root."""
_TYPED = struct.Struct("<HI")
_LENGTH = struct.Struct("<H")


@dataclass(frozen=True)
class SignatureData:
    """Who signed the quote, and who speaks for them."""

    signature: bytes
    attestation_key: bytes
    qe_report: ReportBody
    qe_report_bytes: bytes
    """The report as it is signed, with its reserved bytes."""
    qe_report_signature: bytes
    qe_authentication: bytes
    certificates: tuple[bytes, ...]
    """In DER: the PCK, the CA of its kind, the root."""


def parse_signature_data(quote: Quote) -> SignatureData:
    """Reads a quote's signature data. Raises QuoteError."""
    reader = _Reader(quote.signature_data)
    signature, key = reader.take(SIZE_OF_SIGNATURE), reader.take(SIZE_OF_SIGNATURE)
    inner = reader if quote.header.version == VERSION else _Reader(reader.typed(QE_REPORT))
    report = inner.take(SIZE_OF_BODY)
    report_signature = inner.take(SIZE_OF_SIGNATURE)
    authentication = inner.take(*_LENGTH.unpack(inner.take(_LENGTH.size)))
    chain = inner.typed(PCK_CHAIN)
    inner.end()
    reader.end()
    certificates = pem_certificates(chain)
    if len(certificates) != CHAIN_LENGTH:
        raise QuoteError(f"its chain has {len(certificates)} certificates, not {CHAIN_LENGTH}")
    parsed = ReportBody.parse(report)
    return SignatureData(signature, key, parsed, report, report_signature, authentication, certificates)


class _Reader:
    """Takes bytes from the front."""

    def __init__(self, raw: bytes) -> None:
        self._rest = raw

    def take(self, size: int) -> bytes:
        if size > len(self._rest):
            raise QuoteError(f"the signature data ends {size - len(self._rest)} bytes early")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def typed(self, wanted: int) -> bytes:
        kind, size = _TYPED.unpack(self.take(_TYPED.size))
        if kind != wanted:
            words = f"certification data of type {kind}, where type {wanted} is supported"
            raise QuoteError(words, Reason.UNSUPPORTED_CERTIFICATION)
        return self.take(size)

    def end(self) -> None:
        if self._rest:
            raise QuoteError(f"{len(self._rest)} bytes follow the certification data")
