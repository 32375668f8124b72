from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import GraminePaths, ManifestError
from ppmlctl.sgx.template import render_template

_PATHS = GraminePaths(PurePosixPath("/opt/gramine"))


def _render(template: str, **variables: object) -> str:
    return render_template(template, variables, _PATHS)


def test_variables_are_filled_in_and_the_last_newline_stays() -> None:
    assert _render('a = "{{ log_level }}"\n', log_level="error") == 'a = "error"\n'


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ gramine.libos }}", "/opt/gramine/libsysdb.so"),
        ("{{ gramine.pkglibdir }}", "/opt/gramine"),
        ("{{ gramine.runtimedir() }}", "/opt/gramine/runtime/glibc"),
        ("{{ gramine.runtimedir('musl') }}", "/opt/gramine/runtime/musl"),
        ("{{ gramine.runtimedir }}", "/opt/gramine/runtime/glibc"),
        ("{{ gramine.runtimedir / 'ld.so' }}", "/opt/gramine/runtime/glibc/ld.so"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ("{{ attestation | default('dcap') }}", "dcap"),
    ],
)
def test_offers_what_gramine_offers(template: str, text: str) -> None:
    assert _render(template) == text


def test_the_environment_is_only_what_the_caller_gives() -> None:
    assert render_template("{{ env.A }}", {}, _PATHS, {"A": "b"}) == "b"
    with pytest.raises(ManifestError):
        _render("{{ env.PATH }}")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ nothing }}", "the manifest template cannot be rendered: 'nothing' is undefined"),
        (
            "\n{% if %}",
            "the manifest template has a syntax error in line 2: Expected an expression, got 'end of statement block'",
        ),
        ("{{ 1 / 0 }}", "the manifest template cannot be rendered: division by zero"),
        ("{% include 'x' %}", "the manifest template cannot be rendered: no loader for this environment specified"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused(template: str, message: str) -> None:
    with pytest.raises(ManifestError) as refused:
        _render(template)
    assert str(refused.value) == message


def test_a_template_cannot_reach_into_python() -> None:
    with pytest.raises(ManifestError, match="unsafe"):
        _render("{{ gramine.libos.__class__.__mro__ }}")


@given(st.text("{}%#|()[]'. abc01+*\n", max_size=30))
def test_any_text_is_a_template_or_refused(template: str) -> None:
    try:
        _render(template)
    except ManifestError:
        return
