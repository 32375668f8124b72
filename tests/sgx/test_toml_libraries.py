"""Manifests as this package writes them, beside the libraries that Gramine's tools write them with."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ppmlctl.sgx import ManifestError
from ppmlctl.sgx.gramine import TomlStyle
from ppmlctl.sgx.toml_writer import write_toml

_TOML: Any = import_module("toml")
_TOMLI_W: Any = import_module("tomli_w")

_PIECES = st.sampled_from(["a.b", "a b", "a#b", "a,b", "[x]", "]", "=", "'", '"', "\\", "\\x41", "{", "é", "\n", "'''"])
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.lists(_PIECES, max_size=3).map("".join)
_KEY = st.sampled_from(["a", "b", "c-d", "e_f", "a long key with words", "k" * 300]) | _TEXT
_ZONES = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-7)), dt.timezone(dt.timedelta(minutes=330))])
_MOMENTS = st.datetimes(timezones=_ZONES)
_TIMES = st.times().map(lambda time: time.replace(fold=0))
_FLOATS = st.floats(allow_nan=False).map(lambda number: number + 0.0)  # the older library reads -0.0 as 0.0
_KINDS: list[st.SearchStrategy[Any]] = [st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), _TEXT, _FLOATS]
_KINDS += [st.dates(), _MOMENTS, _TIMES]
_SCALAR = st.one_of(_KINDS)
_ARRAY = st.one_of([st.lists(kind, max_size=3) for kind in _KINDS])
_DEEP_ARRAY = st.one_of([st.lists(st.lists(kind, max_size=3), max_size=3) for kind in _KINDS])
_PLAIN = _SCALAR | _ARRAY | _DEEP_ARRAY
_TABLE = st.recursive(
    st.dictionaries(_KEY, _PLAIN, max_size=3),
    lambda inner: st.dictionaries(_KEY, _PLAIN | inner | st.lists(inner, max_size=3), max_size=3),
    max_leaves=8,
)
_MIXED = st.recursive(_SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3))
_MANY = settings(max_examples=3 * settings.default.max_examples, suppress_health_check=list(HealthCheck), deadline=None)


def _by_the_tools(manifest: dict[str, Any]) -> str | None:
    """What `gramine-manifest` writes, and `gramine-sgx-sign` of that; None where another manifest comes of it."""
    try:
        once = _TOML.dumps(manifest)
        twice = str(_TOML.dumps(_TOML.loads(once)))
        return twice if tomllib.loads(twice) == manifest else None
    except (ValueError, IndexError, TypeError):
        return None


def _written(manifest: dict[str, Any]) -> str:
    """As an expansion writes it: what was written once is read, and its tables come in another order then."""
    return write_toml(tomllib.loads(write_toml(manifest, TomlStyle.TOML_0_10)), TomlStyle.TOML_0_10)


def test_zero_has_no_sign_as_the_older_library_reads_it() -> None:
    assert write_toml({"a": -0.0}, TomlStyle.TOML_0_10) == _TOML.dumps(_TOML.loads("a = -0.0"))


@_MANY
@given(manifest=_TABLE)
@example(manifest={"a": [{"b": [{"c": 1}, {}]}, {}, {"b": [{"d": {"e": 1}, "f": {"g": {"h": 2}}}]}]})
@example(manifest={"a": [{"b": {"c": {"d": [{"e": 1}], "f": 1.0}}, "g": [{"h": [{"i": 1}]}]}]})
@example(manifest={"a": 1e22, "b": 1e-9, "c": 0.0, "d": math.inf, "e": 1e100})
def test_what_is_written_as_toml_0_10_is_what_the_tools_write(manifest: dict[str, Any]) -> None:
    expected = _by_the_tools(manifest)
    try:
        written = _written(manifest)
    except ManifestError:
        return  # that no more is refused than has to be is the next test's
    assert written == expected


_WORD = st.text("abcdefgh-_/:;$@+(){}'é漢", max_size=8)
_USUAL = st.one_of(_WORD, st.integers(0, 1 << 40), st.booleans(), _FLOATS, st.dates(), _MOMENTS)
_USUAL_KEY = st.text("abcdef-_:/é漢", min_size=1, max_size=120)
_USUAL_ARRAY = st.one_of(st.lists(_WORD, max_size=4), st.lists(st.integers(), max_size=4))


@_MANY
@example(manifest={"a-f": {"c": {":": ""}}, ":": {"::": "", ":": {":": ""}}})
@given(
    manifest=st.recursive(
        st.dictionaries(_USUAL_KEY, _USUAL | _USUAL_ARRAY, min_size=1, max_size=3),
        lambda inner: st.dictionaries(_USUAL_KEY, _USUAL | inner | st.lists(inner, min_size=1, max_size=3), min_size=1),
        max_leaves=8,
    )
)
def test_usual_words_and_numbers_in_any_depth_are_refused_by_neither(manifest: dict[str, Any]) -> None:
    assert write_toml(manifest, TomlStyle.TOML_0_10) == _TOML.dumps(manifest)
    assert _written(manifest) == _by_the_tools(manifest)


@_MANY
@given(manifest=_TABLE | st.dictionaries(_KEY, _MIXED, max_size=3))
def test_what_is_written_as_tomli_w_is_what_it_writes(manifest: dict[str, Any]) -> None:
    assert write_toml(manifest, TomlStyle.TOMLI_W) == _TOMLI_W.dumps(manifest)


@pytest.mark.parametrize("text", ["a = [1, 'x']", "a = [[1], ['x']]", "a = [1, 1.5]", "a = {b = [1, true]}"])
def test_arrays_that_the_older_library_refuses_are_refused(text: str) -> None:
    try:
        read = _TOML.loads(text)
    except (ValueError, IndexError):
        with pytest.raises(ManifestError, match="mixes"):
            write_toml(tomllib.loads(text), TomlStyle.TOML_0_10)
    else:
        assert write_toml(tomllib.loads(text), TomlStyle.TOML_0_10) == _TOML.dumps(read)
