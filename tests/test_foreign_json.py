"""JSON from outside is a value of bounded size, or a ValueError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppmlctl.foreign_json import LARGEST, MOST_VALUES, parse_foreign

REFUSED = {
    "no json": (b"<html>", "it is not JSON"),
    "nothing": (b"", "it is not JSON"),
    "no utf-8": (b'"\xff"', "it is not UTF-8"),
    "half a surrogate": (b'"\\ud800"', "it is not UTF-8"),
    "not finite": (b"[NaN]", "it is not JSON"),
    "beyond every number": (b'{"a":[1,-1e999]}', "it is not JSON"),
    "digits": (b"1" * 6000, "it is not JSON"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "it is nested more than 200 deep"),
    "deep, with siblings": (b'{"a":[],"b":' * 300 + b"1" + b"}" * 300, "it is nested more than 200 deep"),
    "many values": (b"[" + b"{}," * (MOST_VALUES // 2) + b"0]", f"it has more than {MOST_VALUES:,} values"),
    "large": (b" " * (LARGEST + 1), f"it has more than {LARGEST:,} bytes"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_bounded_json_is_a_value_error(kind: str) -> None:
    content, words = REFUSED[kind]
    with pytest.raises(ValueError, match=r".") as refused:
        parse_foreign(content)
    assert str(refused.value) == words


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_can_be_written_is_read_back(value: Any) -> None:
    assert parse_foreign(json.dumps(value).encode()) == value
    assert parse_foreign(json.dumps(value)) == value
