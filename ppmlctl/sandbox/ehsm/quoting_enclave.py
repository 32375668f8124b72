"""The made-up platform's quoting enclaves: one for SGX enclaves, one for TDX domains, as real platforms have them.

Layouts: Intel's "SGX ECDSA Quote Library Reference", A.4, and "TDX DCAP Quoting Library API", A.3, where the
certification of a quote of version 4 is itself certification data.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ppmlctl.dcap import Quote, QuoteHeader, ReportBody, TdReport
from ppmlctl.dcap.quote import ECDSA_P256, TEE_SGX, TEE_TDX, VERSION, VERSION_OF_TDX, VERSION_OF_TDX15
from ppmlctl.dcap.signature_data import PCK_CHAIN, QE_REPORT
from ppmlctl.sandbox.ehsm.issuing import raw_signature
from ppmlctl.sandbox.ehsm.platform import TCB, Platform

_INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_OF_ENCLAVE = QuoteHeader(VERSION, ECDSA_P256, TEE_SGX, 1, TCB.pce_svn, _INTEL_QE_VENDOR, bytes(20))
_OF_DOMAIN = QuoteHeader(VERSION_OF_TDX, ECDSA_P256, TEE_TDX, 0, 0, _INTEL_QE_VENDOR, bytes(20))
_OF_ENCLAVE4 = replace(_OF_DOMAIN, tee_type=TEE_SGX)
_AUTHENTICATION_DATA = bytes(range(32))


class QuotingEnclave:
    """Signs with an attestation key of its own, for which its report speaks, for which the PCK does."""

    def __init__(self, platform: Platform, report: ReportBody) -> None:
        self._platform = platform
        self._report = report
        self._key = ec.generate_private_key(ec.SECP256R1())

    def quote(self, body: ReportBody | TdReport, version: int = VERSION) -> bytes:
        """The body in a quote: for an enclave of version 3 or 4, for a domain 4, or 5 with the fields of TDX 1.5."""
        unsigned = Quote(_header_for(body, version), body, b"")
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
        certified = self._certification(public)
        if unsigned.header.version != VERSION:
            certified = _typed(QE_REPORT, certified)
        signature_data = raw_signature(self._key, unsigned.signed_bytes()) + public + certified
        return replace(unsigned, signature_data=signature_data).to_bytes()

    def _certification(self, public: bytes) -> bytes:
        """The chain from the attestation key by this enclave's report to the PCK and the root."""
        bound = hashlib.sha256(public + _AUTHENTICATION_DATA).digest()
        report = replace(self._report, report_data=bound.ljust(64, b"\0")).to_bytes()
        authentication = len(_AUTHENTICATION_DATA).to_bytes(2, "little") + _AUTHENTICATION_DATA
        chain = _typed(PCK_CHAIN, self._platform.pck_chain.encode())
        return report + self._platform.pck.sign(report) + authentication + chain


def _header_for(body: ReportBody | TdReport, version: int) -> QuoteHeader:
    if isinstance(body, ReportBody):
        return _OF_ENCLAVE if version == VERSION else _OF_ENCLAVE4
    return _OF_DOMAIN if body.mr_service_td is None else replace(_OF_DOMAIN, version=VERSION_OF_TDX15)


def _typed(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "little") + len(data).to_bytes(4, "little") + data
