"""A genuine quote is accepted, and refused for its own reason as soon as one thing about it is changed."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quote_samples import Sample

from ppmlctl.dcap import Collateral, QuoteError, Reason, parse_quote, parse_signature_data


def test_it_is_accepted_at_its_time(genuine: Sample) -> None:
    found = genuine.judged()
    assert (found.reason, found.words, found.accepted) == (None, "", True)
    assert found.genuine
    assert found.genuine.tcb_status == genuine.status
    assert found.genuine.root == ("private root" if genuine.root else "intel")


def test_the_real_one_of_a_weak_platform_comes_with_its_advisories(genuine: Sample) -> None:
    found = genuine.judged().genuine
    assert found
    weak = genuine.status == "ConfigurationAndSWHardeningNeeded"
    assert found.advisories == (("INTEL-SA-00289", "INTEL-SA-00615") if weak else ())


def test_a_changed_byte_of_each_region_is_refused_for_its_own_reason(genuine: Sample) -> None:
    found = {name: genuine.reason(raw=genuine.flipped(place, 4)) for name, place, _ in genuine.regions()}
    assert found == {name: reason for name, _, reason in genuine.regions()}


@pytest.mark.long
def test_no_byte_is_without_meaning(genuine: Sample) -> None:
    """Not even those that no signature covers: lengths, the text around certificates, the root, padding."""
    some = range(0, len(genuine.raw), 5)  # all of them, by `make soak`
    assert [i for i in some if genuine.reason(raw=genuine.flipped(i, 1 << i % 8)) is None] == []


@pytest.mark.soak
def test_no_change_of_a_single_byte_is_accepted(genuine: Sample) -> None:
    """Each bit of each byte, and each byte as one that readers of text pass over or stop at."""
    passed_over = b"\0\t\n\r -=\xff"
    masks = [{1 << bit for bit in range(8)} | {byte ^ other for other in passed_over} - {0} for byte in genuine.raw]
    every = ((i, mask) for i, of_byte in enumerate(masks) for mask in sorted(of_byte))
    assert [(i, mask) for i, mask in every if genuine.reason(raw=genuine.flipped(i, mask)) is None] == []


@given(data=st.data())
@settings(deadline=None)
def test_cut_or_continued_bytes_are_refused_or_padding(genuine: Sample, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(genuine.raw.rstrip(b"\0")) - 1))
    assert genuine.reason(raw=genuine.raw[:cut]) is Reason.MALFORMED
    tail = data.draw(st.binary(min_size=1, max_size=8))
    assert genuine.reason(raw=genuine.raw + tail) is (Reason.MALFORMED if any(tail) else None)


@pytest.mark.parametrize(
    ("at", "word"),
    [(timedelta(days=31), "ended"), (timedelta(days=-2), "begins"), (timedelta(days=-60 * 365), "begins")],
)
def test_outside_the_collaterals_time_it_is_refused(genuine: Sample, at: timedelta, word: str) -> None:
    found = genuine.judged(at=genuine.at + at)
    assert found.reason is Reason.OUTSIDE_VALIDITY
    assert f" {word} at " in found.words


def test_under_another_root_it_is_refused(genuine: Sample) -> None:
    assert genuine.reason(root=genuine.other_root) is Reason.OTHER_ROOT
    assert genuine.reason(root=None) is (Reason.OTHER_ROOT if genuine.root else None)
    assert genuine.reason(root=b"no certificate") is Reason.OTHER_ROOT


def test_a_status_that_is_not_accepted_is_refused_by_name(genuine: Sample) -> None:
    found = genuine.judged(statuses=("OutOfDate", "SWHardeningNeeded"))
    assert found.reason is Reason.STATUS_NOT_ACCEPTED
    words = f"the platform's TCB status is {genuine.status}, accepted: OutOfDate, SWHardeningNeeded"
    assert found.words == words


def test_each_claim_can_be_expected_and_another_value_is_refused(genuine: Sample) -> None:
    names = {"isv_prod_id": "prod_id", "isv_svn": "min_svn"}
    claims = {names.get(name, name): value for name, value in genuine.judged().claims.items()}
    del claims["tee"], claims["quote_version"]
    told = [f"{name}={str(value).lower()}" for name, value in claims.items()]
    assert genuine.reason(expected=told) is None
    for name, value in claims.items():
        if name == "debug":
            continue  # expected of no quote here
        wrong = value + 1 if isinstance(value, int) else "ff" * (len(str(value)) // 2)
        found = genuine.judged(expected=[f"{name}={wrong}"])
        least = "at least " if name == "min_svn" else ""
        words = f"{name.removeprefix('min_')} is {value}, expected {least}{wrong}"
        assert (found.reason, found.words) == (Reason.EXPECTATION_NOT_MET, words)


def test_the_other_kinds_measurements_are_no_claim_of_it(genuine: Sample) -> None:
    name = "mr_enclave" if "mr_td" in genuine.judged().claims else "mr_td"
    found = genuine.judged(expected=[f"{name}={'00' * (32 if name == 'mr_enclave' else 48)}"])
    assert found.reason is Reason.EXPECTATION_NOT_MET
    assert found.words.endswith(f" has no {name}")


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
def test_forged_collateral_is_refused(genuine: Sample, part: str) -> None:
    document = json.loads(genuine.collateral)
    document[part] = document[part].replace('"tcbDate":"2', '"tcbDate":"3', 1)
    assert genuine.reason(collateral=json.dumps(document)) is Reason.COLLATERAL_FORGED


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tcb_info": 1}', "[" * 10**5])
def test_collateral_that_cannot_be_read_is_refused(genuine: Sample, text: str) -> None:
    assert genuine.reason(collateral=text) is Reason.COLLATERAL_MALFORMED


@given(data=st.data())
@settings(deadline=None)
def test_damaged_collateral_is_refused_and_nothing_else_happens(genuine: Sample, data: st.DataObject) -> None:
    document = json.loads(genuine.collateral)
    name = data.draw(st.sampled_from(sorted(document)))
    text, place = document[name], data.draw(st.integers(0, len(document[name]) - 1))
    document[name] = text[:place] + data.draw(st.sampled_from(["", "é", "\0", "Z", '"', "}"])) + text[place + 1 :]
    found = genuine.judged(collateral=json.dumps(document))
    if document[name] != text and "chain" not in name:  # the root at a chain's end is compared, and otherwise unused
        assert not found.accepted


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tcb_info_signature": ""}, Reason.COLLATERAL_MALFORMED),
        ({"tcb_info_signature": "zz"}, Reason.COLLATERAL_MALFORMED),
        ({"qe_identity_signature": "ff" * 5000}, Reason.COLLATERAL_MALFORMED),
        ({"tcb_info_signature": "00" * 64}, Reason.COLLATERAL_FORGED),
    ],
)
def test_collateral_whose_signatures_are_none_is_told_from_forged_one(
    genuine: Sample, changes: dict[str, str], reason: Reason
) -> None:
    assert genuine.reason(collateral=json.dumps(json.loads(genuine.collateral) | changes)) is reason


@pytest.mark.parametrize("name", [field.name for field in fields(Collateral)])
def test_half_of_a_character_is_malformed(genuine: Sample, name: str) -> None:
    document = json.loads(genuine.collateral)
    collateral = json.dumps(document | {name: document[name] + "\ud800"})
    assert genuine.reason(collateral=collateral) is Reason.COLLATERAL_MALFORMED


@pytest.mark.parametrize("name", ["tcb_info", "qe_identity"])
def test_what_nobody_signed_steers_no_terminal_and_fills_none(genuine: Sample, name: str) -> None:
    document = json.loads(genuine.collateral)
    changed = json.dumps(json.loads(document[name]) | {"id": "\x1b[2Jaccepted\n\ud800" + "x" * 5000})
    found = genuine.judged(collateral=json.dumps(document | {name: changed}))
    assert not found.accepted
    assert found.words.isprintable()
    assert len(found.words) < 500


@pytest.mark.parametrize("name", ["tcb_info", "qe_identity"])
def test_a_signed_document_of_another_form_is_malformed(genuine: Sample, name: str) -> None:
    document = json.loads(genuine.collateral)
    changed = json.dumps(json.loads(document[name]) | {"tcbLevels": 1})
    assert genuine.reason(collateral=json.dumps(document | {name: changed})) is Reason.COLLATERAL_MALFORMED


@pytest.mark.parametrize("name", ["root_ca_crl", "pck_crl"])
def test_a_revocation_list_with_another_signature_is_forged(genuine: Sample, name: str) -> None:
    document = json.loads(genuine.collateral)
    changed = bytearray.fromhex(document[name])
    changed[-1] ^= 1
    assert genuine.reason(collateral=json.dumps(document | {name: changed.hex()})) is Reason.COLLATERAL_FORGED


def test_without_a_revocation_list_for_platforms_nothing_is_known_of_this_one(genuine: Sample) -> None:
    document = json.loads(genuine.collateral)
    collateral = json.dumps(document | {"pck_crl": document["root_ca_crl"]})
    assert genuine.reason(collateral=collateral) is Reason.COLLATERAL_MISMATCH


def test_a_chain_beside_the_collateral_does_not_stand_in_for_the_quotes(genuine: Sample) -> None:
    chain = genuine.raw[genuine.raw.index(b"-----BEGIN") :].rstrip(b"\0").decode()
    collateral = json.dumps(json.loads(genuine.collateral) | {"pck_certificate_chain": chain})
    place = next(place for name, place, _ in genuine.regions() if name == "PCK certificate")
    assert genuine.reason(raw=genuine.flipped(place, 4), collateral=collateral) is Reason.CERTIFICATE_WRONG


@given(raw=st.binary(max_size=6000))
def test_any_signature_data_is_read_or_refused(genuine: Sample, raw: bytes) -> None:
    quote = parse_quote(genuine.raw[: genuine.signature - 4] + len(raw).to_bytes(4, "little") + raw)
    with pytest.raises(QuoteError):
        parse_signature_data(quote)


def test_an_instant_beyond_every_calendar_is_refused(genuine: Sample) -> None:
    assert genuine.reason(at=datetime.max.replace(tzinfo=UTC)) is Reason.OUTSIDE_VALIDITY
    assert genuine.reason(at=datetime.min.replace(tzinfo=UTC)) is Reason.OUTSIDE_VALIDITY
