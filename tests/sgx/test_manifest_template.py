from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import GraminePaths, ManifestError
from ppmlctl.sgx.template import render, render_template
from ppmlctl.sgx.template_process import Limits, Request, render_apart

_PATHS = GraminePaths(PurePosixPath("/opt/gramine"))


def _render(template: str, **variables: str | int) -> str:
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
        ("\n{{ nothing }}", "the manifest template asks for nothing in line 2, and nothing gives it"),
        (
            "{{ env.A }}",
            "the manifest template cannot be rendered in line 1: 'dict object' has no attribute 'A'",
        ),
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


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{{ 'a' * 10**10 }}", "64 MiB of memory"),
        ("{{ 'a'.ljust(10**10) }}", "64 MiB of memory"),
        ("{{ '%10000000000d' % 1 }}", "64 MiB of memory"),
        (
            "{% set n = namespace(s='aaaaaaaaaa') %}{% for _ in range(40) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
            "64 MiB of memory",
        ),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "1 seconds",
        ),
        ("{{ 7 ** (7 ** (7 ** 7)) }}", "1 seconds"),
    ],
)
def test_a_template_that_needs_too_much_is_refused(template: str, what: str) -> None:
    limits = Limits(seconds=1, memory=1 << 26)
    with pytest.raises(ManifestError) as refused:
        render_template(template, {}, _PATHS, limits=limits)
    assert str(refused.value) == f"the manifest template cannot be rendered: it needs more than {what}"


def test_a_template_that_renders_to_too_much_is_refused() -> None:
    with pytest.raises(ManifestError, match="renders to 2000 characters, more than 1000"):
        render_template("{{ 'ab' * 1000 }}", {}, _PATHS, limits=Limits(answer=1000))
    with pytest.raises(ManifestError, match="has 4194305 characters, more than 4194304"):
        _render("a" * (4194304 + 1))


def test_a_template_that_only_fills_in_values_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.sgx.template.render_apart", None)
    template = "{% if a %}{{ a }}{% endif %} {{ gramine.runtimedir() }} {{ env.B }}"
    assert render_template(template, {"a": 1}, _PATHS, {"B": "b"}) == "1 /opt/gramine/runtime/glibc b"


@pytest.mark.parametrize(
    "template",
    ["{{ gramine.setdefault('a', gramine.copy()) }}", "{{ gramine.runtimedir }}{{ gramine.keys() }}", " " * 70000],
)
def test_what_could_grow_is_rendered_in_a_process(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.sgx.template.render_apart", lambda _request, _limits: "apart")
    assert _render(template) == "apart"


def test_a_mapping_that_is_put_into_itself_over_and_over_does_not_fill_memory() -> None:
    doubled = "".join(f"{{{{ gramine.setdefault('{n}', gramine.copy()) }}}}" for n in range(20))
    with pytest.raises(ManifestError, match="it needs more than 64 MiB of memory"):
        render_template(doubled, {}, _PATHS, limits=Limits(memory=1 << 26))


@pytest.mark.parametrize("block", ["{% if a %}*{% endif %}", "{% for b in [1] %}*{% endfor %}"])
def test_blocks_nested_deeper_than_python_can_are_refused(block: str) -> None:
    begin, end = block.split("*")
    with pytest.raises(ManifestError, match=r"cannot be rendered: too many (levels of indentation|statically nested)"):
        _render(begin * 110 + end * 110, a="b")


def test_both_ways_of_rendering_say_the_same() -> None:
    for template in ("{{ a }}-{{ gramine.runtimedir('musl') }}\n", "{{ nothing }}", "{{ gramine.libos.x.y }}"):
        request = Request(template, {"a": 1}, "/opt/gramine", {})
        said = []
        for way in (render, render_apart):
            try:
                said.append(way(request))
            except ManifestError as error:
                said.append(str(error))
        assert said[0] == said[1]
