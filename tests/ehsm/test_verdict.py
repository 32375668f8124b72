"""What a quote is worth."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ppmlctl.dcap import QuoteVerdict, ReportBody, TrustRoot
from ppmlctl.ehsm import FRESH, NOT_BOUND, Identity, Requirements, Shown, binds, judge
from ppmlctl.evidence import Evidence

CHALLENGE = b"challenge of sixteen or more bytes"
BODY = ReportBody(
    cpu_svn=bytes(16),
    misc_select=0,
    isv_ext_prod_id=bytes(16),
    flags=5,
    xfrm=231,
    mr_enclave=b"\xe1" * 32,
    mr_signer=b"\x51" * 32,
    config_id=bytes(64),
    isv_prod_id=7,
    isv_svn=2,
    config_svn=0,
    isv_family_id=bytes(16),
    report_data=bytes(64),
)
GENUINE = QuoteVerdict("UpToDate", (), TrustRoot.INTEL)
SHOWN = Shown(BODY, CHALLENGE, GENUINE, channel_authenticated=True)
REQUIRED = Requirements(Identity(mr_enclave="E1" * 32, mr_signer="51" * 32, prod_id=7, min_svn=2))


PASSED_ON = "TLS does not authenticate the server, so the quote may be passed on from another one"


def bound(form: bytes) -> ReportBody:
    return replace(BODY, report_data=form.ljust(64, b"\0"))


def test_an_unbound_quote_over_authenticated_tls_says_what_it_does_not_show() -> None:
    verdict = judge(SHOWN, REQUIRED)
    assert (verdict.evidence, verdict.statement, verdict.accepted) == (Evidence.VERIFIED, NOT_BOUND, True)
    assert verdict.statement == "genuine quote of this identity shown; not bound to this server"


@pytest.mark.parametrize("form", [CHALLENGE, hashlib.sha256(CHALLENGE).digest(), hashlib.sha512(CHALLENGE).digest()])
def test_a_quote_that_binds_the_challenge_is_fresh(form: bytes) -> None:
    shown = replace(SHOWN, body=bound(form))
    assert judge(shown, replace(REQUIRED, freshness_required=True)).statement == FRESH


def test_zeros_bind_nothing() -> None:
    assert not binds(bytes(64), bytes(32))
    assert not binds(b"\1" * 64, b"")


def test_a_private_root_and_the_sandbox_are_named_in_the_words() -> None:
    private = replace(SHOWN, genuine=replace(GENUINE, root=TrustRoot.PRIVATE))
    accepted = replace(REQUIRED, private_root_accepted=True)
    assert judge(private, accepted).statement == f"private root: {NOT_BOUND}"
    simulated = judge(replace(private, simulated=True), accepted)
    assert (simulated.evidence, simulated.statement) == (Evidence.SIMULATED, f"simulated: {NOT_BOUND}")


CASES = [
    (
        replace(SHOWN, genuine=None, not_genuine_because="no PCCS"),
        REQUIRED,
        "the quote was not verified: no PCCS",
    ),
    (
        replace(SHOWN, genuine=replace(GENUINE, root=TrustRoot.PRIVATE)),
        REQUIRED,
        "the quote's chain ends in a private root, which is accepted only where it is named as trust root",
    ),
    (
        replace(SHOWN, genuine=replace(GENUINE, tcb_status="OutOfDate")),
        REQUIRED,
        "the platform's TCB status is OutOfDate, accepted: UpToDate",
    ),
    (
        replace(SHOWN, genuine=QuoteVerdict("SWHardeningNeeded", ("SA-2", "SA-1"), TrustRoot.INTEL)),
        replace(REQUIRED, tcb_statuses=("SWHardeningNeeded",), advisories=("SA-2",)),
        "the platform is open to SA-1, which is not accepted",
    ),
    (
        SHOWN,
        replace(REQUIRED, identity=Identity()),
        "neither MRENCLAVE nor MRSIGNER is expected, so every enclave would do",
    ),
    (
        replace(SHOWN, body=replace(BODY, mr_enclave=bytes(32))),
        REQUIRED,
        f"MRENCLAVE is {'00' * 32}, expected {'e1' * 32}",
    ),
    (
        replace(SHOWN, body=replace(BODY, mr_signer=bytes(32))),
        REQUIRED,
        f"MRSIGNER is {'00' * 32}, expected {'51' * 32}",
    ),
    (replace(SHOWN, body=replace(BODY, isv_prod_id=8)), REQUIRED, "ISV product id is 8, expected 7"),
    (replace(SHOWN, body=replace(BODY, isv_svn=1)), REQUIRED, "ISV SVN is 1, expected at least 2"),
    (
        replace(SHOWN, body=replace(BODY, flags=7)),
        REQUIRED,
        "it is a debug enclave, whose memory its host can read",
    ),
    (
        SHOWN,
        replace(REQUIRED, freshness_required=True),
        "the quote does not bind the challenge sent, so it may be another server's or an old one",
    ),
    (replace(SHOWN, channel_authenticated=False), REQUIRED, PASSED_ON),
    (replace(SHOWN, channel_authenticated=False), replace(REQUIRED, freshness_required=True), PASSED_ON),
    # Whoever stands between can have a fresh quote made by the real server.
    (replace(SHOWN, body=bound(CHALLENGE), channel_authenticated=False), REQUIRED, PASSED_ON),
]


@pytest.mark.parametrize(("shown", "required", "fault"), CASES)
def test_each_fault_alone_refuses_the_server(shown: Shown, required: Requirements, fault: str) -> None:
    verdict = judge(shown, required)
    assert verdict.faults == (fault,)
    assert (verdict.accepted, verdict.evidence, verdict.statement) == (False, Evidence.NOT_VERIFIED, "not verified")


def test_a_debug_enclave_is_accepted_where_it_is_allowed() -> None:
    required = replace(REQUIRED, identity=replace(REQUIRED.identity, debug_allowed=True))
    assert judge(replace(SHOWN, body=replace(BODY, flags=7)), required).accepted
