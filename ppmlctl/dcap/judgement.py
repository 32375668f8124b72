"""Whether a quote is accepted: genuine, its platform good enough, and of the enclave or domain that is expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ppmlctl.dcap.claims import Claims, claims_of
from ppmlctl.dcap.expectations import Expectations
from ppmlctl.dcap.quote import parse_quote
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason
from ppmlctl.dcap.verification import QuoteVerdict, verify_quote

UP_TO_DATE = "UpToDate"


@dataclass(frozen=True)
class Policy:
    """What is required of a quote beyond being genuine."""

    expected: Expectations
    statuses: tuple[str, ...] = (UP_TO_DATE,)
    advisories: tuple[str, ...] | None = None
    """Advisories that a platform not up to date may be open to; None: those that its status comes with."""


@dataclass(frozen=True)
class Judgement:
    """What was found. Without a reason the quote is accepted."""

    reason: Reason | None
    words: str
    claims: Claims
    """What the quote says; empty where it cannot be read."""
    genuine: QuoteVerdict | None
    """What the verifier found, or None where it accepted nothing."""

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against the quote."""
        return self.reason is None


def judge_quote(raw: bytes, collateral: str, root_ca_pem: bytes | None, policy: Policy, at: datetime) -> Judgement:
    """Judges a quote at an instant, with Intel's root or the one given. Raises nothing: every fault is a reason."""
    claims: Claims = {}
    try:
        claims = claims_of(parse_quote(raw))
        genuine = verify_quote(raw, collateral, root_ca_pem, at)
    except (QuoteError, QuoteUntrustedError) as error:
        return Judgement(error.reason, str(error), claims, None)
    reason, words = _objection(genuine, claims, policy)
    return Judgement(reason, words, claims, genuine)


def _objection(genuine: QuoteVerdict, claims: Claims, policy: Policy) -> tuple[Reason | None, str]:
    if genuine.tcb_status not in policy.statuses:
        words = f"the platform's TCB status is {genuine.tcb_status}, accepted: {', '.join(policy.statuses)}"
        return Reason.STATUS_NOT_ACCEPTED, words
    if genuine.tcb_status != UP_TO_DATE and policy.advisories is not None:
        open_to = sorted(set(genuine.advisories) - set(policy.advisories))
        if open_to:
            return Reason.ADVISORY_NOT_ACCEPTED, f"the platform is open to {', '.join(open_to)}"
    if claims["debug"] and not policy.expected.debug:
        return Reason.DEBUG, "it is in debug mode: its host can read its memory"
    differences = "; ".join(policy.expected.differences(claims))
    return (Reason.EXPECTATION_NOT_MET, differences) if differences else (None, "")
