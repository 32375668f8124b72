"""Addresses to listen on."""

from __future__ import annotations

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.sandbox.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address", "authority"),
    [
        ("172.17.0.1", Address("172.17.0.1", 0), "172.17.0.1:0"),
        ("172.17.0.1:9000", Address("172.17.0.1", 9000), "172.17.0.1:9000"),
        ("::1", Address("::1", 0), "[::1]:0"),
        ("[::1]:9000", Address("::1", 9000), "[::1]:9000"),
    ],
)
def test_an_address_may_name_its_port(text, address, authority):
    assert parse_address(text) == address
    assert address.authority == authority


@pytest.mark.parametrize("text", ["", "0.0.0.0", "[::]:9000", "ehsm", "10.0.0.1:", "10.0.0.1:70000", "10.0.0.1:9000/x"])
def test_an_address_that_cannot_be_used_is_refused(text):
    with pytest.raises(InputError):
        parse_address(text)


def test_the_refusal_says_what_to_write():
    with pytest.raises(InputError) as caught:
        parse_address("0.0.0.0")
    assert str(caught.value) == (
        "error[listen-address]: the address to listen on cannot be used\n"
        "  is   0.0.0.0\n"
        "  why  every address at once, which no certificate can name\n"
        "  fix  give the address at which clients reach this machine, such as 172.17.0.1 or 172.17.0.1:9000"
    )
