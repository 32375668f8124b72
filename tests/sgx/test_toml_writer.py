from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import ManifestError
from ppmlctl.sgx.gramine import TomlStyle
from ppmlctl.sgx.toml_writer import write_toml

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUE = st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | _TEXT
_ARRAY = st.lists(_TEXT, max_size=3) | st.lists(st.integers(0, 9), max_size=3)
_FLAT = st.dictionaries(_TEXT, _VALUE | _ARRAY, max_size=4)
_TABLE = st.dictionaries(_TEXT, _VALUE | _ARRAY | _FLAT | st.lists(_FLAT, min_size=1, max_size=3), max_size=4)


@pytest.mark.parametrize("style", TomlStyle)
@given(manifest=st.dictionaries(_TEXT, _TABLE | _VALUE, max_size=4))
def test_what_is_written_is_read_back(style: TomlStyle, manifest: dict[str, Any]) -> None:
    try:
        written = write_toml(manifest, style)
    except ManifestError:
        assert style is TomlStyle.TOML_0_10
        return
    assert tomllib.loads(written) == manifest


_MANIFEST: dict[str, object] = {
    "plain": 'a "quoted" \\ and\ttabbed\nline',
    "a key": "ä",
    "table": {"deep": {"deeper": {"x": 1}}, "y": True},
    "rows": [{"n": 1}, {"n": 2, "m": ["p", "q"]}],
    "none": {},
}

_TOML_0_10 = r"""plain = "a \"quoted\" \\ and\ttabbed\nline"
"a key" = "ä"
[[rows]]
n = 1

[[rows]]
n = 2
m = [ "p", "q",]

[table]
y = true

[none]

[table.deep.deeper]
x = 1
"""

_TOMLI_W = r"""plain = "a \"quoted\" \\ and	tabbed\nline"
"a key" = "ä"

[table]
y = true

[table.deep.deeper]
x = 1

[[rows]]
n = 1

[[rows]]
n = 2
m = [
    "p",
    "q",
]

[none]
"""


@pytest.mark.parametrize(("style", "text"), [(TomlStyle.TOML_0_10, _TOML_0_10), (TomlStyle.TOMLI_W, _TOMLI_W)])
def test_each_style_has_its_own_form(style: TomlStyle, text: str) -> None:
    assert write_toml(_MANIFEST, style) == text


def test_tomli_w_escapes_control_characters() -> None:
    assert write_toml({"a": "\x07\x7f"}, TomlStyle.TOMLI_W) == 'a = "\\u0007\\u007f"\n'


def test_tomli_w_writes_arrays_of_short_tables_inline() -> None:
    short, long = {"a": 1}, {"a": "x" * 100}

    assert write_toml({"t": [short, short]}, TomlStyle.TOMLI_W) == "t = [\n    { a = 1 },\n    { a = 1 },\n]\n"
    assert write_toml({"t": [short, long]}, TomlStyle.TOMLI_W).startswith("[[t]]\na = 1\n\n[[t]]\n")


@pytest.mark.parametrize("width", [100, 101])
def test_an_inline_table_is_at_most_a_hundred_columns_wide(width: int) -> None:
    text = "x" * (width - len('    { a = "" },'))
    written = write_toml({"t": [{"a": text}]}, TomlStyle.TOMLI_W)
    assert written.startswith("t = [") is (width == 100)


def test_toml_0_10_cannot_mix_types_in_an_array() -> None:
    with pytest.raises(ManifestError, match="mixes"):
        write_toml({"a": ["x", 1]}, TomlStyle.TOML_0_10)


@pytest.mark.parametrize("text", ["\x07", "\x7f", "\xa0", "C:\\x"])
def test_what_toml_0_10_would_garble_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match=r"that Gramine v1\.3 would write wrongly$"):
        write_toml({"a": text}, TomlStyle.TOML_0_10)


@pytest.mark.parametrize("style", TomlStyle)
def test_nesting_without_end_is_refused(style: TomlStyle) -> None:
    deep: object = []
    for _ in range(2_000):
        deep = [deep]
    with pytest.raises(ManifestError, match="nested too deeply"):
        write_toml({"a": deep}, style)
