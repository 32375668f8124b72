"""What a submission that ended with 0 is worth.

bigdl-ppml-submit.sh ends with 0 for an unknown class, a JVM that did not start and a driver that failed; so in cluster
mode the driver's own pod is looked at, and the log wherever the user says what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.evidence import Evidence

NOT_CHECKED = "ran, result not checked"
REPORTED = "ran, its log holds what was expected"


@dataclass(frozen=True)
class Outcome:
    """A verdict with its evidence, or a `failure` in words."""

    verdict: str = ""
    evidence: Evidence | None = None
    failure: str = ""


def judged(driver: Mapping[str, Any] | None, log: str, expected: str | None) -> Outcome:
    """By the driver's pod, where the mode has one, and by the log of whatever ran the application."""
    if driver is not None and (driver.get("status") or {}).get("phase") == "Failed":
        return Outcome(failure="the submission ended well, its driver did not")
    if expected is None:
        return Outcome(NOT_CHECKED, Evidence.NOT_VERIFIED)
    if expected in log:
        return Outcome(REPORTED, Evidence.REPORTED)
    return Outcome(failure=f"its log does not hold {expected!r}")
