"""Policies of the attestation service, in the text that it compares.

It reads a quote at fixed places, those of version 3 for SGX and of version 4 for TDX, makes one number of the bytes
found there, and compares its hexadecimal digits as text: lower case, without leading zeros. So a measurement that
begins with a zero, registered as everybody writes it, would never match. The ISV product id is read with its bytes
swapped, and the four RTMRs are one number.

Source: intel-analytics/BigDL, `AttestationUtil.scala` and `BigDLRemoteAttestationService.scala`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class PolicyType(StrEnum):
    """What a policy compares, by the service's names."""

    SGX_ENCLAVE = "SGXMREnclavePolicy"
    SGX_SIGNER = "SGXMRSignerPolicy"
    SGX_REPORT_DATA = "SGXReportDataPolicy"
    TDX_DOMAIN = "TDXMRTDPolicy"
    TDX_REPORT_DATA = "TDXReportDataPolicy"
    TDX_LAUNCH = "TDXLaunchTimePolicy"

    @property
    def fields(self) -> tuple[str, ...]:
        """What it needs, by the service's names."""
        return _FIELDS[self]


_FIELDS: Mapping[PolicyType, tuple[str, ...]] = {
    PolicyType.SGX_ENCLAVE: ("mrEnclave",),
    PolicyType.SGX_SIGNER: ("mrSigner", "isvProdID"),
    PolicyType.SGX_REPORT_DATA: ("reportData",),
    PolicyType.TDX_DOMAIN: ("mrTD",),
    PolicyType.TDX_REPORT_DATA: ("reportData",),
    PolicyType.TDX_LAUNCH: ("mrTD", "rtmr"),
}
_SGX_PLACES = {"mrEnclave": (112, 144), "mrSigner": (176, 208), "isvProdID": (304, 306), "reportData": (368, 432)}
_TDX_PLACES = {"mrTD": (184, 232), "rtmr": (376, 568), "reportData": (568, 632)}
_ENCLAVE, _REPORT_DATA, _DOMAIN = 32, 64, 48  # bytes
_RTMRS = 4


@dataclass(frozen=True)
class Policy:
    """One policy, with its fields in the text that the service compares."""

    type: PolicyType
    fields: Mapping[str, str]

    @classmethod
    def of_enclave(cls, mr_enclave: str) -> Self:
        """One enclave. Raises ValueError where it is no measurement in hexadecimal; so do all others."""
        return cls(PolicyType.SGX_ENCLAVE, {"mrEnclave": compared(_bytes(mr_enclave, _ENCLAVE))})

    @classmethod
    def of_signer(cls, mr_signer: str, prod_id: int) -> Self:
        """Every enclave of one signer and product."""
        product = compared(prod_id.to_bytes(2, "little"))
        return cls(PolicyType.SGX_SIGNER, {"mrSigner": compared(_bytes(mr_signer, _ENCLAVE)), "isvProdID": product})

    @classmethod
    def of_domain(cls, mr_td: str, rtmrs: Sequence[str] = ()) -> Self:
        """One trust domain's initial memory and, if given, all of its four runtime registers, in their order."""
        domain = {"mrTD": compared(_bytes(mr_td, _DOMAIN))}
        if not rtmrs:
            return cls(PolicyType.TDX_DOMAIN, domain)
        if len(rtmrs) != _RTMRS:
            raise ValueError("a domain has four runtime registers, and the service compares all of them")
        registers = b"".join(_bytes(one, _DOMAIN) for one in rtmrs)
        return cls(PolicyType.TDX_LAUNCH, {**domain, "rtmr": compared(registers)})

    @classmethod
    def of_report_data(cls, report_data: str, tee: str) -> Self:
        """What the application gave to be quoted. `tee` is `sgx` or `tdx`."""
        kind = PolicyType.SGX_REPORT_DATA if tee == "sgx" else PolicyType.TDX_REPORT_DATA
        return cls(kind, {"reportData": compared(_bytes(report_data, _REPORT_DATA))})

    def differences(self, quote: bytes) -> list[str]:
        """The fields in which a quote shows something else, as the service would see it."""
        places = _SGX_PLACES if self.type.value.startswith("SGX") else _TDX_PLACES
        shown = {name: compared(quote[slice(*places[name])]) for name in self.fields}
        return [name for name, expected in self.fields.items() if shown[name] != expected]

    def another(self) -> Policy:
        """A policy of the same kind that nothing real meets."""
        return Policy(self.type, dict.fromkeys(self.fields, "0"))


def compared(raw: bytes) -> str:
    """Bytes of a quote in the text that the service makes of them."""
    return format(int.from_bytes(raw, "big"), "x")


def _bytes(text: str, size: int) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != size:
        raise ValueError(f"{2 * size} hexadecimal digits are needed, not {2 * len(raw)}")
    return raw
