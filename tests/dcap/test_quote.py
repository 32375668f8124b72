"""Reading DCAP quotes of SGX and TDX."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.dcap import Quote, QuoteError, QuoteHeader, ReportBody, TdReport, parse_quote, parse_sgx_report

HEADER = QuoteHeader(3, 2, 0, 10, 15, b"v" * 16, b"u" * 20)
BODY = ReportBody(
    cpu_svn=b"c" * 16,
    misc_select=1,
    isv_ext_prod_id=b"x" * 16,
    flags=5,
    xfrm=231,
    mr_enclave=b"\x01" * 32,
    mr_signer=b"\x02" * 32,
    config_id=b"\x03" * 64,
    isv_prod_id=7,
    isv_svn=9,
    config_svn=11,
    isv_family_id=b"f" * 16,
    report_data=b"\x04" * 64,
)
QUOTE = Quote(HEADER, BODY, b"signature")
DOMAIN = TdReport(
    tee_tcb_svn=b"t" * 16,
    mr_seam=b"\x05" * 48,
    mr_signer_seam=b"\x06" * 48,
    seam_attributes=bytes(8),
    td_attributes=b"\0\0\0\x10\0\0\0\0",
    xfam=b"\xe7" + bytes(7),
    mr_td=b"\x07" * 48,
    mr_config_id=b"\x08" * 48,
    mr_owner=b"\x09" * 48,
    mr_owner_config=b"\x0a" * 48,
    rtmr0=b"\x0b" * 48,
    rtmr1=b"\x0c" * 48,
    rtmr2=b"\x0d" * 48,
    rtmr3=b"\x0e" * 48,
    report_data=b"\x0f" * 64,
)
DOMAIN15 = replace(DOMAIN, tee_tcb_svn2=b"u" * 16, mr_service_td=b"\x10" * 48)
TDX = Quote(replace(HEADER, version=4, tee_type=0x81), DOMAIN, b"signature")
TDX10 = Quote(replace(HEADER, version=5, tee_type=0x81), DOMAIN, b"signature")
TDX15 = Quote(replace(HEADER, version=5, tee_type=0x81), DOMAIN15, b"signature")
QUOTES = [QUOTE, replace(QUOTE, header=replace(HEADER, version=4)), TDX, TDX10, TDX15]


@pytest.mark.parametrize("quote", QUOTES)
def test_a_quote_reads_as_it_was_written(quote: Quote) -> None:
    assert parse_quote(quote.to_bytes()) == quote


def test_measurements_stand_where_the_layout_puts_them() -> None:
    raw = QUOTE.to_bytes()
    assert (raw[112:144], raw[176:208], raw[368:432]) == (BODY.mr_enclave, BODY.mr_signer, BODY.report_data)
    for raw, start in ((TDX.to_bytes(), 48), (TDX15.to_bytes(), 54)):
        body = raw[start:]
        assert (body[120:128], body[136:184], body[520:584]) == (DOMAIN.td_attributes, DOMAIN.mr_td, DOMAIN.report_data)
        assert [body[328 + 48 * i :][:48] for i in range(4)] == [DOMAIN.rtmr0, DOMAIN.rtmr1, DOMAIN.rtmr2, DOMAIN.rtmr3]
    assert TDX15.to_bytes()[654:702] == DOMAIN15.mr_service_td


@pytest.mark.parametrize(("flags", "debug"), [(5, False), (7, True)])
def test_the_debug_flag_is_attribute_bit_one(flags: int, debug: bool) -> None:  # noqa: FBT001 - a column of the table
    assert replace(BODY, flags=flags).debug is debug


@pytest.mark.parametrize("bit", range(64))
def test_a_domain_is_under_debug_with_any_of_its_lowest_eight_attributes(bit: int) -> None:
    assert replace(DOMAIN, td_attributes=(1 << bit).to_bytes(8, "little")).debug is (bit < 8)


def test_a_domain_is_no_enclave() -> None:
    with pytest.raises(QuoteError, match="it quotes a TDX domain, not an SGX enclave"):
        parse_sgx_report(TDX.to_bytes())


def test_zero_padding_after_the_end_is_allowed() -> None:
    assert parse_quote(QUOTE.to_bytes() + bytes(40)) == QUOTE


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "a quote has at least 436 bytes, not 0"),
        (QUOTE.to_bytes()[:-1], "the signature data should have 9 bytes and has 8"),
        (QUOTE.to_bytes() + b"x", "more bytes follow the signature data"),
        (
            replace(QUOTE, header=replace(HEADER, version=2)).to_bytes(),
            "version 2 is no version of SGX quotes; supported: 3 or 4",
        ),
        (
            replace(QUOTE, header=replace(HEADER, tee_type=0x81)).to_bytes(),
            "version 3 is no version of TDX quotes; supported: 4 or 5",
        ),
        (TDX.to_bytes()[:500], "a quote with this body has at least 636 bytes, not 500"),
        (TDX15.to_bytes()[:50] + b"\1" + TDX15.to_bytes()[51:], "a body of type 3 has 648 bytes, not 513"),
        (TDX15.to_bytes()[:48] + b"\1" + TDX15.to_bytes()[49:], "body type 1 is no TDX report; supported: 2 and 3"),
        (
            replace(QUOTE, header=replace(HEADER, attestation_key_type=3)).to_bytes(),
            "attestation key type 3 is not ECDSA P-256",
        ),
        (
            replace(QUOTE, header=replace(HEADER, tee_type=0x82)).to_bytes(),
            "trusted execution environment 0x82 is neither SGX nor TDX",
        ),
    ],
)
def test_bytes_that_are_no_sgx_quote_are_refused(raw: bytes, words: str) -> None:
    with pytest.raises(QuoteError) as caught:
        parse_quote(raw)
    assert str(caught.value) == words


@given(st.binary(max_size=600) | st.binary(max_size=200).map(lambda tail: QUOTE.to_bytes()[:436] + tail))
def test_any_bytes_give_a_quote_or_a_quote_error(raw: bytes) -> None:
    try:
        quote = parse_quote(raw)
    except QuoteError:
        return
    assert parse_quote(quote.to_bytes()) == quote
