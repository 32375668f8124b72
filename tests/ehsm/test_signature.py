"""The canonical text of EHSM's requests, by JavaScript's rules, and its HMAC."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.ehsm import canonical_request, canonical_text, is_signed, sign
from ppmlctl.secret import Secret

APIKEY = Secret("0123456789ABCDEFabcdefghijkmnpqr")
APPID = "11111111-2222-3333-4444-555555555555"
TIMESTAMP = "1700000000000"
EMPTY = object()

VECTORS = [
    (EMPTY, "", "appid=A&timestamp=T", "uJHLcFfccbRzsY52N5WGTc2ENTwgDpfUBwFtzmj67JQ="),
    ({}, "", "appid=A&payload=&timestamp=T", "1tvAOT9+aYZuQr0gAuY/HQIVlASSFybGoKiS9EUvDo4="),
    (
        {"keylen": 32, "keyid": "aac3e45a-d3dc-4791-89b6-4ada0e38e6ef", "aad": "dGVzdA=="},
        "abc",
        "appid=A&nonce=abc&payload=aad=dGVzdA==&keyid=aac3e45a-d3dc-4791-89b6-4ada0e38e6ef&keylen=32&timestamp=T",
        "D1A0IJg8ro2pTqnbyOEyTaoLmoknn3XkbxF2O+ZKeoU=",
    ),
    (
        {"c": True, "a": "é &", "e": False, "f": 0, "g": "", "h": None, "i": [], "d": [1, "x"], "B": 1},
        "",
        "appid=A&payload=B=1&a=é &&c=true&d=0=1&1=x&timestamp=T",
        "8Gc+fKG0ujP2+F2YlCtvCLB/EiKwGWvbxuEj5sZCGZc=",
    ),
]


@pytest.mark.parametrize(("payload", "nonce", "text", "signature"), VECTORS)
def test_requests_are_signed_as_the_server_signs_them(payload: Any, nonce: str, text: str, signature: str) -> None:
    request = {"appid": APPID, "nonce": nonce, "timestamp": TIMESTAMP}
    if payload is not EMPTY:
        request["payload"] = payload
    canonical = canonical_request(request)
    assert canonical == text.replace("appid=A", f"appid={APPID}").replace("timestamp=T", f"timestamp={TIMESTAMP}")
    assert sign(canonical, APIKEY) == signature
    assert is_signed(canonical, signature, APIKEY)
    assert not is_signed(canonical, signature.upper(), APIKEY)


@pytest.mark.parametrize("value", ["", None, 0, 0.0, -0.0, False, [], [""], [None], [[]], [[""]]])
def test_what_javascript_takes_for_empty_is_left_out(value: Any) -> None:
    assert canonical_text({"x": value}) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        (" ", " "),
        ({}, ""),
        ({"b": 1, "a": {"c": 2}}, "a=c=2&b=1"),
        ([0], ""),
        ([False], ""),
        (["", ""], ""),
        ([*range(1, 12)], "0=1&1=2&10=11&2=3&3=4&4=5&5=6&6=7&7=8&8=9&9=10"),
        (True, "true"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1e21, "1e+21"),
        (10**20, "100000000000000000000"),
        (12345678901234567890, "12345678901234567000"),
        (123456.789, "123456.789"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_other_values_are_written_as_javascript_prints_them(value: Any, text: str) -> None:
    assert canonical_text({"x": value}) == f"x={text}"


def test_names_are_in_utf16_order_where_code_point_order_differs() -> None:
    assert canonical_text({"\uffff": "b", "\U00010000": "a", "a": "c", "B": "d"}) == "B=d&a=c&\U00010000=a&\uffff=b"


def test_fields_beyond_the_signed_four_do_not_count() -> None:
    assert canonical_request({"appid": "A", "sign": "s", "other": "x", "timestamp": "T"}) == "appid=A&timestamp=T"


def test_a_lone_surrogate_is_signed_as_the_replacement_character() -> None:
    assert sign("a\ud800b", APIKEY) == sign("a\ufffdb", APIKEY)


@given(st.text(), st.text())
def test_no_other_signature_is_accepted(text: str, signature: str) -> None:
    assert is_signed(text, signature, APIKEY) == (signature == sign(text, APIKEY))


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
def test_a_printed_number_names_the_same_double(number: float) -> None:
    assert float(canonical_text({"x": number}).removeprefix("x=")) == number
