"""Intel's quoting enclave for SGX quotes: which report shows it, and what its version is worth.

Form: Intel's "SGX and TDX Provisioning Certification Service API", enclave identity version 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ppmlctl.dcap.json_members import JsonMembers
from ppmlctl.dcap.refusal import QuoteUntrustedError, Reason
from ppmlctl.dcap.report import ReportBody
from ppmlctl.dcap.tcb_status import TcbState

_SUPPORTED = ("QE", 2)
_LARGEST = 0xFFFF
_SIZE_OF_MISC_SELECT, _SIZE_OF_ATTRIBUTES, _SIZE_OF_HALF = 4, 16, 8


@dataclass(frozen=True)
class Masked:
    """Bytes of which only those under the mask count."""

    value: bytes
    mask: bytes

    def matches(self, shown: bytes) -> bool:
        """Whether both are the same under the mask."""
        return all((a ^ b) & mask == 0 for a, b, mask in zip(self.value, shown, self.mask, strict=True))


@dataclass(frozen=True)
class QeIdentity:
    """What the quoting enclave's report must show."""

    mr_signer: bytes
    isv_prod_id: int
    misc_select: Masked
    attributes: Masked
    levels: tuple[tuple[int, TcbState], ...]
    """Least ISVSVN, and what it is worth."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the identity for SGX. Raises QuoteUntrustedError."""
        document = JsonMembers.parse("qe_identity", text)
        shown = document.text("id"), document.number("version", _LARGEST)
        if shown != _SUPPORTED:
            words = f"the quoting enclave's identity is {shown[0]} in version {shown[1]}; supported: QE in version 2"
            raise QuoteUntrustedError(words, Reason.COLLATERAL_MISMATCH)
        levels = document.members("tcbLevels")
        return cls(
            document.octets("mrsigner", 32),
            document.number("isvprodid", _LARGEST),
            _masked(document, "miscselect", _SIZE_OF_MISC_SELECT),
            _masked(document, "attributes", _SIZE_OF_ATTRIBUTES),
            tuple((one.member("tcb").number("isvsvn", _LARGEST), one.state()) for one in levels),
        )

    def state_of(self, report: ReportBody) -> TcbState:
        """What the enclave's version is worth. Raises QuoteUntrustedError for another enclave, or one in debug mode."""
        if report.debug:
            raise QuoteUntrustedError("the quoting enclave is in debug mode", Reason.DEBUG)
        attributes = b"".join(half.to_bytes(_SIZE_OF_HALF, "little") for half in (report.flags, report.xfrm))
        for name, is_same in (
            ("MRSIGNER", report.mr_signer == self.mr_signer),
            ("ISVPRODID", report.isv_prod_id == self.isv_prod_id),
            ("MISCSELECT", self.misc_select.matches(report.misc_select.to_bytes(_SIZE_OF_MISC_SELECT, "little"))),
            ("ATTRIBUTES", self.attributes.matches(attributes)),
        ):
            if not is_same:
                words = f"the quoting enclave is not the one that the collateral knows: another {name}"
                raise QuoteUntrustedError(words, Reason.QE_IDENTITY_WRONG)
        return self._level(report.isv_svn)

    def _level(self, isv_svn: int) -> TcbState:
        for least, state in sorted(self.levels, key=lambda level: level[0], reverse=True):
            if isv_svn >= least:
                return state
        words = f"the quoting enclave's ISVSVN {isv_svn} is below every level that is known"
        raise QuoteUntrustedError(words, Reason.QE_IDENTITY_WRONG)


def _masked(document: JsonMembers, name: str, size: int) -> Masked:
    return Masked(document.octets(name, size), document.octets(f"{name}Mask", size))
