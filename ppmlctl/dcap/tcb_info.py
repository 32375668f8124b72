"""The TCB levels of a family of platforms, and which of them a platform has reached.

Form: Intel's "SGX and TDX Provisioning Certification Service API", TCB info version 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ppmlctl.dcap.json_members import JsonMembers
from ppmlctl.dcap.pck_extension import COMPONENTS, PlatformLevel
from ppmlctl.dcap.refusal import QuoteUntrustedError, Reason
from ppmlctl.dcap.tcb_status import TcbState

_LARGEST_COMPONENT, _LARGEST = 0xFF, 0xFFFF
_SUPPORTED = ("SGX", 3)
_COMPARED_BY_COMPONENT = 0
"""The only way of comparing levels that is defined (`tcbType`)."""


@dataclass(frozen=True)
class TcbLevel:
    """The least versions of one level, and what it is worth."""

    components: tuple[int, ...]
    pce_svn: int
    state: TcbState

    def is_reached_by(self, platform: PlatformLevel) -> bool:
        """Whether none of the platform's versions is lower."""
        pairs = zip(platform.components, self.components, strict=True)
        return platform.pce_svn >= self.pce_svn and all(has >= least for has, least in pairs)


@dataclass(frozen=True)
class TcbInfo:
    """What Intel says of one family."""

    fmspc: bytes
    pce_id: bytes
    levels: tuple[TcbLevel, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the TCB levels for SGX. Raises QuoteUntrustedError."""
        document = JsonMembers.parse("tcb_info", text)
        shown = document.text("id"), document.number("version", _LARGEST)
        if shown != _SUPPORTED:
            words = f"the TCB levels are for {shown[0]} in version {shown[1]}; supported: SGX in version 3"
            raise QuoteUntrustedError(words, Reason.COLLATERAL_MISMATCH)
        if document.number("tcbType", _LARGEST) != _COMPARED_BY_COMPONENT:
            raise QuoteUntrustedError("its TCB levels are of a type that is unknown here", Reason.TCB_UNKNOWN)
        levels = tuple(_level(one) for one in document.members("tcbLevels"))
        return cls(document.octets("fmspc", 6), document.octets("pceId", 2), levels)

    def state_of(self, platform: PlatformLevel) -> TcbState:
        """What the highest level that the platform has reached is worth. Raises QuoteUntrustedError."""
        for name, shown, own in (
            ("FMSPC", self.fmspc, platform.fmspc),
            ("PCEID", self.pce_id, platform.pce_id),
        ):
            if shown != own:
                words = f"the TCB levels are for {name} {shown.hex().upper()}, the platform has {own.hex().upper()}"
                raise QuoteUntrustedError(words, Reason.COLLATERAL_MISMATCH)
        # In Intel's order, whatever the document's is: by components first, then by the PCE's version.
        for level in sorted(self.levels, key=lambda one: (one.components, one.pce_svn), reverse=True):
            if level.is_reached_by(platform):
                return level.state
        raise QuoteUntrustedError("the platform is below every TCB level that is known", Reason.TCB_UNKNOWN)


def _level(members: JsonMembers) -> TcbLevel:
    tcb = members.member("tcb")
    components = tuple(one.number("svn", _LARGEST_COMPONENT) for one in tcb.members("sgxtcbcomponents"))
    if len(components) != COMPONENTS:
        words = f"the collateral cannot be read: a TCB level has {len(components)} components, not {COMPONENTS}"
        raise QuoteUntrustedError(words, Reason.COLLATERAL_MALFORMED)
    return TcbLevel(components, tcb.number("pcesvn", _LARGEST), members.state())
