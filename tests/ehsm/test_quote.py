"""Reading SGX DCAP quotes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.ehsm import Quote, QuoteError, QuoteHeader, ReportBody, parse_quote

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


def test_a_quote_reads_as_it_was_written() -> None:
    assert parse_quote(QUOTE.to_bytes()) == QUOTE


def test_measurements_stand_where_the_layout_puts_them() -> None:
    raw = QUOTE.to_bytes()
    assert (raw[112:144], raw[176:208], raw[368:432]) == (BODY.mr_enclave, BODY.mr_signer, BODY.report_data)


@pytest.mark.parametrize(("flags", "debug"), [(5, False), (7, True)])
def test_the_debug_flag_is_attribute_bit_one(flags: int, debug: bool) -> None:  # noqa: FBT001 - a column of the table
    assert replace(BODY, flags=flags).debug is debug


def test_zero_padding_after_the_end_is_allowed() -> None:
    assert parse_quote(QUOTE.to_bytes() + bytes(40)) == QUOTE


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "a quote has at least 436 bytes, not 0"),
        (QUOTE.to_bytes()[:-1], "the signature data should have 9 bytes and has 8"),
        (QUOTE.to_bytes() + b"x", "more bytes follow the signature data"),
        (replace(QUOTE, header=replace(HEADER, version=4)).to_bytes(), "quote version 4 is not 3"),
        (
            replace(QUOTE, header=replace(HEADER, attestation_key_type=3)).to_bytes(),
            "attestation key type 3 is not ECDSA P-256",
        ),
        (
            replace(QUOTE, header=replace(HEADER, tee_type=0x81)).to_bytes(),
            "trusted execution environment 0x81 is not SGX",
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
