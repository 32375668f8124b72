"""The state of security fixes, of a platform and of its quoting enclave, and what the two together are worth.

Source: Intel's quote verification library, convergence of the two statuses (facts; the words are the TCB info's).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TcbStatus(StrEnum):
    """Intel's words of a level."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"


@dataclass(frozen=True)
class TcbState:
    """A status, and the advisories that it is open to."""

    status: TcbStatus
    advisories: tuple[str, ...]


_WITH_OLD_QUOTING_ENCLAVE = {
    TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
    TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
    TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}
"""What an out of date quoting enclave makes of a platform's status; the others stay, being as bad."""


def converge(platform: TcbState, quoting_enclave: TcbState) -> TcbState:
    """Both together: never better than either, open to the advisories of both, the platform's first."""
    advisories = tuple(dict.fromkeys(platform.advisories + quoting_enclave.advisories))
    return TcbState(_converged(platform.status, quoting_enclave.status), advisories)


def _converged(platform: TcbStatus, quoting_enclave: TcbStatus) -> TcbStatus:
    if quoting_enclave is TcbStatus.UP_TO_DATE:
        return platform
    if quoting_enclave is TcbStatus.REVOKED:
        return quoting_enclave
    return _WITH_OLD_QUOTING_ENCLAVE.get(platform, platform)
