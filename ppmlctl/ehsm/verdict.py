"""What a server's quote is worth: a judgement over what was shown, what was verified of it, and what is required."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ppmlctl.dcap import QuoteVerdict, ReportBody, TrustRoot
from ppmlctl.dcap.report import SIZE_OF_REPORT_DATA
from ppmlctl.evidence import Evidence

FRESH = "fresh"
NOT_BOUND = "genuine quote of this identity shown; not bound to this server"
_UP_TO_DATE = "UpToDate"


@dataclass(frozen=True)
class Identity:
    """The enclave that is expected. Measurements are hexadecimal; what is None is not compared."""

    mr_enclave: str | None = None
    mr_signer: str | None = None
    prod_id: int | None = None
    min_svn: int | None = None
    debug_allowed: bool = False

    def differences(self, body: ReportBody) -> Iterator[str]:
        """Each way in which an enclave is not the expected one; nothing when it is."""
        if self.mr_enclave is None and self.mr_signer is None:
            yield "neither MRENCLAVE nor MRSIGNER is expected, so every enclave would do"
        for name, expected, shown in (
            ("MRENCLAVE", self.mr_enclave, body.mr_enclave),
            ("MRSIGNER", self.mr_signer, body.mr_signer),
        ):
            if expected is not None and expected.lower() != shown.hex():
                yield f"{name} is {shown.hex()}, expected {expected.lower()}"
        if self.prod_id is not None and self.prod_id != body.isv_prod_id:
            yield f"ISV product id is {body.isv_prod_id}, expected {self.prod_id}"
        if self.min_svn is not None and self.min_svn > body.isv_svn:
            yield f"ISV SVN is {body.isv_svn}, expected at least {self.min_svn}"
        if body.debug and not self.debug_allowed:
            yield "it is a debug enclave, whose memory its host can read"


@dataclass(frozen=True)
class Requirements:
    """What a quote must satisfy to be accepted."""

    identity: Identity
    tcb_statuses: tuple[str, ...] = (_UP_TO_DATE,)
    advisories: tuple[str, ...] = ()
    """Advisories that are accepted for platforms in a status other than UpToDate."""
    private_root_accepted: bool = False
    freshness_required: bool = False


@dataclass(frozen=True)
class Shown:
    """What a server showed, and what was found out about it here."""

    body: ReportBody
    challenge: bytes
    genuine: QuoteVerdict | None
    """What the verifier found, or None where nothing was verified."""
    not_genuine_because: str = ""
    channel_authenticated: bool = False
    """Whether TLS authenticated the server, by an authority or a fingerprint."""
    simulated: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether the server's enclave is accepted, with the words for plan, lockfile and recap."""

    evidence: Evidence
    statement: str
    faults: tuple[str, ...]
    """Why it is not accepted, each a sentence of its own."""

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults


def judge(shown: Shown, required: Requirements) -> Verdict:
    """Judges a quote. What was not verified here is never `verified`, and what the sandbox made is `simulated`."""
    fresh = binds(shown.body.report_data, shown.challenge)
    faults = (*_authenticity_faults(shown, required), *required.identity.differences(shown.body))
    faults += tuple(_binding_faults(shown, required, fresh=fresh))
    if faults:
        return Verdict(Evidence.NOT_VERIFIED, str(Evidence.NOT_VERIFIED), faults)
    evidence = Evidence.SIMULATED if shown.simulated else Evidence.VERIFIED
    return Verdict(evidence, _statement(shown, fresh=fresh), ())


def binds(report_data: bytes, challenge: bytes) -> bool:
    """Whether report data holds the challenge, or its SHA-256 or SHA-512, with zeros behind it."""
    if not any(report_data) or not challenge:
        return False
    forms = (challenge, hashlib.sha256(challenge).digest(), hashlib.sha512(challenge).digest())
    return any(report_data == form.ljust(SIZE_OF_REPORT_DATA, b"\0") for form in forms)


def _authenticity_faults(shown: Shown, required: Requirements) -> Iterator[str]:
    genuine = shown.genuine
    if genuine is None:
        yield f"the quote was not verified: {shown.not_genuine_because or 'no collateral'}"
        return
    if genuine.root is TrustRoot.PRIVATE and not required.private_root_accepted:
        yield "the quote's chain ends in a private root, which is accepted only where it is named as trust root"
    if genuine.tcb_status not in required.tcb_statuses:
        accepted = ", ".join(required.tcb_statuses) or "none"
        yield f"the platform's TCB status is {genuine.tcb_status}, accepted: {accepted}"
    if genuine.tcb_status != _UP_TO_DATE:
        for advisory in sorted(set(genuine.advisories) - set(required.advisories)):
            yield f"the platform is open to {advisory}, which is not accepted"


def _binding_faults(shown: Shown, required: Requirements, *, fresh: bool) -> Iterator[str]:
    if not shown.channel_authenticated:
        # Not even a fresh quote binds the server: whoever stands between can have asked the real one for it.
        yield "TLS does not authenticate the server, so the quote may be passed on from another one"
    elif required.freshness_required and not fresh:
        yield "the quote does not bind the challenge sent, so it may be another server's or an old one"


def _statement(shown: Shown, *, fresh: bool) -> str:
    words = FRESH if fresh else NOT_BOUND
    if shown.simulated:
        return f"simulated: {words}"
    private = shown.genuine is not None and shown.genuine.root is TrustRoot.PRIVATE
    return f"private root: {words}" if private else words
