"""The own verifier of SGX quotes beside `dcap-qvl`: the same verdict on every quote of version 3, and on those of 4."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_platforms import NAMES, PLATFORM, Made, Outcome, make_platform, outcome
from quote_samples import SANDBOX_AT, Sample, real, sample

from ppmlctl.dcap import QuoteError, Reason
from ppmlctl.dcap.pck_extension import PlatformLevel, parse_pck_extension
from ppmlctl.dcap.tcb_status import TcbState, TcbStatus, converge
from ppmlctl.dcap.verification import verified_by_dcap_qvl, verified_here
from ppmlctl.sandbox.ehsm.issuing import revocation_list
from ppmlctl.sandbox.ehsm.made_up import EHSM, QUOTING_ENCLAVE

GOOD = make_platform()
UP_TO_DATE: Outcome = ("UpToDate", ())
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module", params=[real("sgx"), "sandbox sgx"])
def version3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(request.param, tmp_path_factory.mktemp("quoting"))


def agreed(made: Made, at: Any = SANDBOX_AT) -> Outcome:
    """The outcome on which both verifiers agree, and the version of the quote makes no difference to it."""
    found = {made.outcome(verified_by_dcap_qvl, at=at), made.outcome(verified_here, at=at), made.outcome(None, 4, at)}
    assert len(found) == 1, found
    return found.pop()


def both(sample: Sample, **changes: Any) -> tuple[Outcome, Outcome]:
    given = {"raw": sample.raw, "collateral": sample.collateral, "root": sample.root, "at": sample.at} | changes
    return outcome(verified_here, **given), outcome(verified_by_dcap_qvl, **given)


def test_both_find_the_same_of_a_genuine_quote(version3: Sample) -> None:
    here, by_dcap_qvl = both(version3)
    assert here == by_dcap_qvl
    assert here[0] == version3.status


@pytest.mark.long
def test_both_find_the_same_of_damaged_quotes(version3: Sample) -> None:
    places = range(0, len(version3.raw.rstrip(b"\0")), 11)
    damaged = {place: both(version3, raw=version3.flipped(place, 1 << place % 8)) for place in places}
    assert {place: found for place, found in damaged.items() if found[0] != found[1]} == {}


@given(data=st.data())
@settings(deadline=None)
def test_both_refuse_the_same_damaged_collateral(version3: Sample, data: st.DataObject) -> None:
    document = json.loads(version3.collateral)
    name = data.draw(st.sampled_from([one for one in sorted(document) if "chain" not in one]))
    text, place = document[name], data.draw(st.integers(0, len(document[name]) - 1))
    document[name] = text[:place] + data.draw(st.sampled_from(["", "é", "0", "Z", '"', "}"])) + text[place + 1 :]
    here, by_dcap_qvl = both(version3, collateral=json.dumps(document))
    assert isinstance(here, Reason) == isinstance(by_dcap_qvl, Reason)


def test_a_good_platform_is_up_to_date() -> None:
    assert agreed(Made(GOOD)) == UP_TO_DATE


@pytest.mark.parametrize(
    ("quoting_enclave", "expected"),
    [
        ({"mr_signer": bytes(32)}, Reason.QE_IDENTITY_WRONG),
        ({"isv_prod_id": 2}, Reason.QE_IDENTITY_WRONG),
        ({"misc_select": 1}, Reason.QE_IDENTITY_WRONG),
        ({"flags": QUOTING_ENCLAVE.flags | 1 << 7}, Reason.QE_IDENTITY_WRONG),
        ({"flags": QUOTING_ENCLAVE.flags | 2}, Reason.DEBUG),
        ({"xfrm": 3}, UP_TO_DATE),
        ({"isv_svn": 0}, Reason.QE_IDENTITY_WRONG),
        ({"isv_svn": 9}, UP_TO_DATE),
    ],
)
def test_another_quoting_enclave_is_told_by_what_counts(quoting_enclave: dict[str, Any], expected: Outcome) -> None:
    assert agreed(Made(GOOD, replace(QUOTING_ENCLAVE, **quoting_enclave))) == expected


def test_bits_outside_of_the_masks_do_not_count() -> None:
    zeros = {"miscselectMask": "00000000", "attributesMask": "FB" + "FF" * 7 + "00" * 8}
    made = Made(GOOD, replace(QUOTING_ENCLAVE, misc_select=1, flags=QUOTING_ENCLAVE.flags ^ 4))
    assert agreed(made) == Reason.QE_IDENTITY_WRONG
    assert agreed(made.with_document("qe_identity", lambda document: document.update(zeros))) == UP_TO_DATE


def test_a_debug_enclave_is_refused() -> None:
    assert agreed(Made(GOOD, enclave=replace(EHSM, flags=EHSM.flags | 2))) == Reason.DEBUG


def _tcb(components: bytes, pce_svn: int, status: str, *advisories: str) -> dict[str, Any]:
    tcb = {"sgxtcbcomponents": [{"svn": svn} for svn in components], "pcesvn": pce_svn}
    return {"tcb": tcb, "tcbDate": "2024-01-01T00:00:00Z", "tcbStatus": status, "advisoryIDs": list(advisories)}


OWN = PLATFORM.components
HIGHER = bytes([*OWN[:15], OWN[15] + 1])
LOWER = bytes([OWN[0] - 1, *OWN[1:]])


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([_tcb(OWN, 11, "SWHardeningNeeded", "A")], ("SWHardeningNeeded", ("A",))),
        ([_tcb(HIGHER, 11, "UpToDate"), _tcb(OWN, 11, "OutOfDate", "A", "B")], ("OutOfDate", ("A", "B"))),
        ([_tcb(OWN, 12, "UpToDate"), _tcb(OWN, 5, "ConfigurationNeeded")], ("ConfigurationNeeded", ())),
        ([_tcb(LOWER, 11, "OutOfDate"), _tcb(OWN, 11, "UpToDate")], UP_TO_DATE),
        ([_tcb(OWN, 3, "OutOfDate"), _tcb(OWN, 11, "UpToDate")], UP_TO_DATE),
        ([_tcb(HIGHER, 1, "UpToDate")], Reason.TCB_UNKNOWN),
        ([_tcb(OWN, 12, "UpToDate")], Reason.TCB_UNKNOWN),
        ([], Reason.TCB_UNKNOWN),
        ([_tcb(OWN, 11, "Revoked")], Reason.REVOKED),
        ([_tcb(OWN, 11, "Excellent")], Reason.COLLATERAL_MALFORMED),
        ([_tcb(OWN[:15], 11, "UpToDate")], Reason.COLLATERAL_MALFORMED),
    ],
)
def test_the_highest_level_that_is_reached_counts(levels: list[dict[str, Any]], expected: Outcome) -> None:
    made = Made(GOOD).with_document("tcb_info", lambda document: document.update(tcbLevels=levels))
    assert agreed(made) == expected


@given(data=st.data())
@settings(deadline=None)
def test_any_levels_are_chosen_from_alike(data: st.DataObject) -> None:
    near = st.tuples(*(st.sampled_from([max(svn - 1, 0), svn, svn, svn, svn + 1]) for svn in OWN)).map(bytes)
    words = st.sampled_from([status.value for status in TcbStatus])
    level = st.builds(_tcb, near, st.sampled_from([10, 11, 12]), words, st.sampled_from(["A", "B"]))
    levels = data.draw(st.lists(level, max_size=6))
    agreed(Made(GOOD).with_document("tcb_info", lambda document: document.update(tcbLevels=levels)))


def _with_states(platform: str, quoting_enclave: str) -> Made:
    def change(document: dict[str, Any], status: str, *advisories: str) -> None:
        document["tcbLevels"][0].update(tcbStatus=status, advisoryIDs=list(advisories))

    made = Made(GOOD).with_document("tcb_info", lambda document: change(document, platform, "A", "B"))
    return made.with_document("qe_identity", lambda document: change(document, quoting_enclave, "B", "C"))


@pytest.mark.parametrize("platform", TcbStatus)
@pytest.mark.parametrize("quoting_enclave", ["UpToDate", "OutOfDate", "Revoked"])
def test_an_old_quoting_enclave_makes_the_platform_no_better(platform: str, quoting_enclave: str) -> None:
    found = agreed(_with_states(platform, quoting_enclave))
    assert found == Reason.REVOKED or found[1] == ("A", "B", "C")
    assert (found == Reason.REVOKED) == ("Revoked" in {platform, quoting_enclave})


def test_both_states_together_are_never_better_than_either() -> None:
    order = list(TcbStatus)
    for platform in TcbStatus:
        for other in (TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE, TcbStatus.REVOKED):
            found = converge(TcbState(platform, ()), TcbState(other, ())).status
            assert order.index(found) >= max(order.index(platform), order.index(other))


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("tcb_info", {"fmspc": "000000000000"}, Reason.COLLATERAL_MISMATCH),
        ("tcb_info", {"fmspc": "00"}, None),
        ("tcb_info", {"tcbLevels": None}, Reason.COLLATERAL_MALFORMED),
        ("tcb_info", {"version": True}, Reason.COLLATERAL_MALFORMED),
        ("tcb_info", {"version": 1}, Reason.COLLATERAL_MISMATCH),
        ("qe_identity", {"id": "QVE"}, Reason.COLLATERAL_MISMATCH),
        ("qe_identity", {"version": 3}, Reason.COLLATERAL_MISMATCH),
        ("qe_identity", {"mrsigner": "00"}, Reason.COLLATERAL_MALFORMED),
        ("qe_identity", {"isvprodid": 1 << 16}, Reason.COLLATERAL_MALFORMED),
        ("qe_identity", {"tcbLevels": []}, None),
    ],
)
def test_documents_for_others_or_of_another_form_are_refused(
    name: str, change: dict[str, Any], expected: Reason | None
) -> None:
    made = Made(GOOD).with_document(name, lambda document: document.update(change))
    if expected is not None:
        assert agreed(made) == expected
    else:  # refused by both, by other words
        here, there = made.outcome(verified_here), made.outcome(verified_by_dcap_qvl)
        assert (isinstance(here, Reason), isinstance(there, Reason)) == (True, True)


def test_levels_for_another_pce_are_refused() -> None:
    """`dcap-qvl` does not look at the PCEID; Intel's library does."""
    made = Made(GOOD).with_document("tcb_info", lambda document: document.update(pceId="0001"))
    assert made.outcome(None, 4) == Reason.COLLATERAL_MISMATCH


def test_levels_to_be_compared_in_an_unknown_way_are_refused() -> None:
    made = Made(GOOD).with_document("tcb_info", lambda document: document.update(tcbType=1))
    assert made.outcome(None, 4) == Reason.TCB_UNKNOWN


def test_revoked_certificates_are_refused() -> None:
    made = Made(GOOD)
    assert agreed(made.with_revoked("pck_crl", GOOD.processor_ca, GOOD.pck)) == Reason.REVOKED
    assert agreed(made.with_revoked("root_ca_crl", GOOD.root, GOOD.processor_ca)) == Reason.REVOKED
    assert agreed(made.with_revoked("root_ca_crl", GOOD.root, GOOD.tcb_signing)) == Reason.REVOKED
    assert agreed(made.with_revoked("pck_crl", GOOD.processor_ca, GOOD.tcb_signing)) == UP_TO_DATE


def test_a_list_by_another_of_the_same_name_is_forged() -> None:
    other = make_platform()
    made = Made(GOOD).with_revoked("pck_crl", other.processor_ca, other.pck)
    assert agreed(made) == Reason.COLLATERAL_FORGED


def test_certificates_are_valid_at_their_time_alone() -> None:
    def later(document: dict[str, Any]) -> None:
        document.update(nextUpdate="2099-01-01T00:00:00Z")

    until = SANDBOX_AT + timedelta(days=365 * 30)
    made = Made(GOOD).with_document("tcb_info", later).with_document("qe_identity", later)
    lists = {
        name: revocation_list(issuer, [], SANDBOX_AT, until).hex()
        for name, issuer in (("root_ca_crl", GOOD.root), ("pck_crl", GOOD.processor_ca))
    }
    made = made.with_members(**lists)
    assert agreed(made) == UP_TO_DATE
    assert agreed(made, SANDBOX_AT + timedelta(days=365 * 25)) == Reason.OUTSIDE_VALIDITY


def test_who_is_no_authority_issues_nothing() -> None:
    assert agreed(Made(make_platform(ca=None))) == Reason.CERTIFICATE_WRONG
    assert agreed(Made(make_platform(leaf=0))) == Reason.CERTIFICATE_WRONG


def test_a_chain_of_another_root_of_the_same_name_is_refused() -> None:
    other = make_platform()
    mixed = replace(GOOD, processor_ca=other.processor_ca, pck=other.pck)
    assert agreed(Made(mixed)) == Reason.CERTIFICATE_WRONG
    signer = replace(GOOD, tcb_signing=other.tcb_signing)
    assert agreed(Made(signer)) == Reason.CERTIFICATE_WRONG


@pytest.mark.parametrize("place", range(1, 4))
def test_a_certificate_is_not_taken_for_one_of_another_role(place: int) -> None:
    """`dcap-qvl` does not look at the roles; Intel's library tells them by these names."""
    names = [*NAMES[:place], "sandbox something", *NAMES[place + 1 :]]
    assert Made(make_platform(names=names)).outcome(None, 4) == Reason.CERTIFICATE_WRONG


def test_what_the_certificate_says_of_its_platform_is_read() -> None:
    level = PlatformLevel(PLATFORM.fmspc, PLATFORM.pce_id, tuple(PLATFORM.components), 11)
    assert parse_pck_extension(PLATFORM.extension().value) == level


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_extension_is_read_or_refused(place: int, mask: int) -> None:
    raw = bytearray(PLATFORM.extension().value)
    raw[place % len(raw)] ^= mask
    with suppress(QuoteError):
        assert isinstance(parse_pck_extension(bytes(raw)), PlatformLevel)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_extension_are_refused(raw: bytes) -> None:
    with pytest.raises(QuoteError):
        parse_pck_extension(raw)


def test_a_quote_of_version_4_is_judged_without_dcap_qvl(tmp_path: Path) -> None:
    made = sample("sandbox sgx 4", tmp_path)
    given = (made.raw, made.collateral, made.root, made.at)
    assert outcome(verified_by_dcap_qvl, *given) == Reason.UNSUPPORTED_VERSION
    assert outcome(None, *given) == UP_TO_DATE
