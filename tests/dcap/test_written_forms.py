"""The forms in which files hold a quote."""

from __future__ import annotations

import base64

import pytest
from quote_samples import Sample

from ppmlctl.dcap import quote_bytes


def test_each_form_gives_the_same_bytes(genuine: Sample) -> None:
    raw = genuine.raw
    wrapped = base64.encodebytes(raw)
    forms = [raw, raw.hex().encode(), b"0x" + raw.hex().upper().encode() + b"\n", base64.b64encode(raw), wrapped]
    forms += [wrapped.replace(b"\n", b"\r\n"), base64.urlsafe_b64encode(raw).rstrip(b"=")]
    assert {quote_bytes(form) for form in forms} == {raw}


@pytest.mark.parametrize("content", [b"", b"no quote, but text", b"abc=d", b"A", b"\x03\x00\x02", "é".encode()])
def test_anything_else_is_taken_as_it_is(content: bytes) -> None:
    assert quote_bytes(content) == content
