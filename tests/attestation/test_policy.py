"""Policies in the text that the attestation service compares, held against a quote's own report."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.attestation import Policy, compared
from ppmlctl.dcap import ReportBody, TdReport, parse_quote
from ppmlctl.sandbox.ehsm.quoting import Quoting

ENCLAVE, SIGNER = bytes([0, 1, *range(30)]), bytes(range(200, 232))


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Quoting:
    return Quoting(tmp_path_factory.mktemp("platform"), time.time)


def policies_of(body: ReportBody | TdReport) -> list[Policy]:
    if isinstance(body, ReportBody):
        enclave, signer = Policy.of_enclave(body.mr_enclave.hex()), body.mr_signer.hex()
        return [
            enclave,
            Policy.of_signer(signer, body.isv_prod_id),
            Policy.of_report_data(body.report_data.hex(), "sgx"),
        ]
    rtmrs = [one.hex() for one in (body.rtmr0, body.rtmr1, body.rtmr2, body.rtmr3)]
    domain, mr_td = Policy.of_domain(body.mr_td.hex()), body.mr_td.hex()
    return [domain, Policy.of_domain(mr_td, rtmrs), Policy.of_report_data(body.report_data.hex(), "tdx")]


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_what_a_quote_shows_meets_its_own_policies(quoting: Quoting, tee: str) -> None:
    quote = quoting.quote_of(ENCLAVE, SIGNER) if tee == "sgx" else quoting.quote_of_domain()
    for policy in policies_of(parse_quote(quote).body):
        assert policy.differences(quote) == []


def test_what_a_quote_does_not_show_is_named(quoting: Quoting) -> None:
    quote = quoting.quote_of_domain()
    assert Policy.of_domain("ab" * 48).differences(quote) == ["mrTD"]
    body = parse_quote(quote).body
    assert isinstance(body, TdReport)
    assert Policy.of_domain(body.mr_td.hex(), ["ab" * 48] * 4).differences(quote) == ["rtmr"]
    assert Policy.of_signer("ab" * 32, 2).differences(quoting.quote_of(ENCLAVE, SIGNER)) == ["mrSigner", "isvProdID"]


def test_a_policy_that_nothing_meets_is_of_the_same_kind(quoting: Quoting) -> None:
    for policy in policies_of(parse_quote(quoting.quote_of(ENCLAVE, SIGNER)).body)[:2]:
        other = policy.another()
        assert (other.type, other.fields.keys()) == (policy.type, policy.fields.keys())
        assert other.differences(quoting.quote_of(ENCLAVE, SIGNER))


@given(st.binary(min_size=1, max_size=192))
def test_compared_text_is_the_number_without_leading_zeros(raw: bytes) -> None:
    text = compared(raw)
    assert bytes.fromhex(text.rjust(2 * len(raw), "0")) == raw
    assert text == "0" or not text.startswith("0")


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 33, "ä" * 64])
def test_what_is_no_measurement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        Policy.of_enclave(text)


def test_registers_come_all_together() -> None:
    with pytest.raises(ValueError, match="four runtime registers"):
        Policy.of_domain("ab" * 48, ["ab" * 48])
