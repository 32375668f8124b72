"""`{{ }}`: native values over data, bounded, and never a way for a secret to become text."""

from __future__ import annotations

import base64
import traceback
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ppmlctl.expressions import Budget, ExpressionError, is_expression, parse
from ppmlctl.expressions.filters import offered_filters
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.unknown import Unknown

SENTINEL = "Xq7-sentinel"
UNKNOWN = Unknown("enclave")


def scope() -> dict[str, Any]:
    return {
        "name": "ppml",
        "count": 3,
        "on": True,
        "nothing": None,
        "list": ["b", "a", "b"],
        "map": {"name": "inner", "key": {"deep": 1}, "ports": [80, 443]},
        "result": "named as Jinja2's own variable",
        "secret": Secret(SENTINEL, handle="vault:s"),
        "bytes": Secret(SENTINEL.encode()),
        "holder": {"token": Secret(SENTINEL), "list": [Secret(SENTINEL), "plain"]},
        "locked": Secret(handle="vault:locked"),
        "unknown": UNKNOWN,
        "partly": {"known": 1, "later": UNKNOWN, "list": [1, UNKNOWN]},
    }


def value(text: str) -> Any:
    return parse(text).evaluate(scope())


def fault(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    return caught.value.message


NATIVE = {
    "{{ count }}": 3,
    "{{ on }}": True,
    "{{ nothing }}": None,
    "{{ map }}": {"name": "inner", "key": {"deep": 1}, "ports": [80, 443]},
    "{{ map.key.deep }}": 1,
    "{{ map['name'] }}": "inner",
    "{{ map.ports[1] }}": 443,
    "{{ list[0:2] }}": ["b", "a"],
    "{{ count + 1 }}": 4,
    "{{ count > 2 and on }}": True,
    "{{ nothing is none }}": True,
    "{{ 'a' in list }}": True,
    "{{ 443 in map.ports }}": True,
    "{{ list | unique }}": ["b", "a"],
    "{{ list | sort | first }}": "a",
    "{{ range(3) }}": [0, 1, 2],
    "{{ [count, name] }}": [3, "ppml"],
    "{{ {'a': count} }}": {"a": 3},
    "{{ name if on else 'other' }}": "ppml",
    "{{ missing | default(7) }}": 7,
    "{{ missing.inner | default(7) }}": 7,
    "{{ missing is defined }}": False,
    "{{ list | length }}": 3,
    "{{ count % 2 }}": 1,
    "{{ list | prefixed('x.') }}": ["x.b", "x.a", "x.b"],
    "{{ list | keyed('name') }}": [{"name": "b"}, {"name": "a"}, {"name": "b"}],
    "{{ map.key | combine({'a': 2}) }}": {"deep": 1, "a": 2},
    "{{ {'a': 1} | combine({'a': none}) }}": {"a": None},
    "{{ [{'a': 1}, {'a': none}, {'b': 1}] | having('a') }}": [{"a": 1}],
    "{{ map.key | to_json }}": '{"deep": 1}',
    "{{ name | b64encode }}": "cHBtbA==",
    "{{ name | replace('p', 'q') }}": "qqml",
    "{{ result ~ '' }}": "named as Jinja2's own variable",
}


@pytest.mark.parametrize(("text", "expected"), NATIVE.items())
def test_a_lone_expression_gives_the_value_itself(text: str, expected: object) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


TEXTS = {
    "x{{ count }}": "x3",
    "{{ name }}-{{ count }}": "ppml-3",
    "on={{ on }}": "on=true",
    "[{{ nothing }}]": "[]",
    "{{ on ~ ':' ~ nothing ~ count }}": "true:3",
    "{{ [on, count] | join(',') }}": "true,3",
    "{{ on | string }}": "true",
    "line {{ count }}\n": "line 3\n",
    "{# nothing to see #}": "",
    "{% raw %}{{ name }}{% endraw %}": "{{ name }}",
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_text_around_expressions_gives_text(text: str, expected: str) -> None:
    assert value(text) == expected


def test_a_lone_expression_in_a_yaml_block_is_still_a_lone_one() -> None:
    assert value("{{ count }}\n") == 3


FAULTS = {
    "{{ missing }}": "'missing' is undefined",
    "{{ map.key.nope }}": "'map.key.nope' is undefined",
    "x{{ missing.inner }}": "'missing' is undefined",
    "{{ map.nope ~ 'x' }}": "there is no 'nope'",
    "{{ [missing] }}": "'missing' is undefined",
    "{{ {'a': missing} }}": "'missing' is undefined",
    "{{ missing is none }}": "'missing' is undefined",
    "x{{ map }}": "a dict cannot stand inside a text",
    "{{ list ~ 'x' }}": "a list cannot stand inside a text",
    "{{ 1 / 0 }}": "cannot be evaluated (ZeroDivisionError)",
    "{{ 'a' + 1 }}": "cannot be evaluated (TypeError)",
    "{{ name | nope }}": "No filter named 'nope'.",
    "{{ name is callable }}": "No test named 'callable'.",
    "{{ name": "unexpected end of template, expected 'end of print statement'.",
    "{% if on %}x{% endif %}": "only {{ }} expressions are offered, no {% %} statements",
    "{% set x = 1 %}": "only {{ }} expressions are offered, no {% %} statements",
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items())
def test_a_fault_is_told_in_plain_words(text: str, expected: str) -> None:
    assert fault(text) == expected


def test_a_fault_knows_where_its_expression_begins() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("abc {{ ! }}")
    assert caught.value.offset == 4


OUTSIDE_OF_DATA = (
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ name.upper() }}",
    "{{ map.items() }}",
    "{{ map.get('name') }}",
    "{{ map['__class__'] ~ '' }}",
    "{{ range.__globals__ ~ '' }}",
    "{{ [range] }}",
    "{{ [self] }}",
    "{{ self._TemplateReference__context ~ '' }}",
    "{{ cycler('a') }}",
    "{{ lipsum() }}",
    "{{ dict(a=1) }}",
    "{{ namespace() }}",
    "{{ name | attr('upper') }}",
    "{{ list | map('upper') }}",
    "{{ name | format(1) }}",
    "{{ '%s' % name }}",
    "{{ '%9999999999d' % 1 }}",
)


@pytest.mark.parametrize("text", OUTSIDE_OF_DATA)
def test_expressions_reach_nothing_but_data(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text).evaluate(scope())


TOO_MUCH = (
    "{{ 'a' * 1000001 }}",
    "{{ 1000001 * 'a' }}",
    "{{ [0] * 1000001 }}",
    "{{ ['a' * 1000] * 1000 }}",
    "{{ ('a' * 1000) | replace('a', 'a' * 1001) }}",
    "{{ range(100000) | join('12345678901') }}",
    "{{ 2 ** 2 }}",
    "{{ range(100001) }}",
    pytest.param("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", id="parentheses"),
    pytest.param("{{ " + "1+" * 10000 + "1 }}", id="sum"),
    pytest.param("{{ " + "1" * 5000 + " }}", id="digits"),
    pytest.param("{{ a" + ".a" * 5000 + " ~ '' }}", id="members"),
)


@pytest.mark.parametrize("text", TOO_MUCH)
def test_an_expression_cannot_exhaust_the_machine(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text).evaluate({**scope(), "a": {}})


@pytest.mark.parametrize("text", ["{{ name | combine({}) }}", "{{ map | combine(list) }}", "{{ list | having('a') }}"])
def test_what_takes_mappings_says_so(text: str) -> None:
    with pytest.raises(ExpressionError, match="takes mappings"):
        value(text)


PASSED = {name for name, function in offered_filters().items() if hasattr(function, "jinja_pass_arg")}
"""Filters that Jinja2 gives its environment first."""

COSTLY = {
    "{{ 1.5 | round(300000000, 'ceil') }}": "`round` takes up to 308 places",
    "{{ '\"' " + "| to_json " * 30 + "}}": "the result of `to_json` is longer than 1000000",
    "{{ 'a' " + "| b64encode " * 75 + "}}": "the result of `b64encode` is longer than 1000000",
    "{{ " + " ~ ".join(["big"] * 800) + " }}": "the result of `~` is longer than 1000000",
    "{{ big" + " ~ big" * 2 + " }}": "the result of `~` is longer than 1000000",
    "{{ big }}{{ big }}": "the result of `{{ }}` is longer than 1000000",
    "{{ big + big }}": "the result of `+` is longer than 1000000",
    "{{ (members + members) | length }}": "the result of `+` is longer than 1000000",
    "{{ [members, members] | length }}": "the result of `length` is longer than 1000000",
    "{{ [members, members] }}": "the result of `{{ }}` is longer than 1000000",
    "{{ huge * huge }}": "a number has more than 4096 bits",
    "{{ huge + 1 - 1 }}": "a number has more than 4096 bits",
    "{{ huge | string }}": "a number has more than 4096 bits",
    "{{ ('f' * 4000) | int(0, 16) }}": "a number has more than 4096 bits",
    "{{ ('f' * 6000) | int(0, 16) }}": "`int` takes up to 5000 characters",
    "{{ ('9' * 6000) | float }}": "`float` takes up to 5000 characters",
    "{{ big | trim(big) }}": "arguments of `trim` have up to 200 characters",
    "{{ members | sort(attribute='a.' * 101) }}": "arguments of `sort` have up to 200 characters",
    "{{ members | prefixed('abc') | length }}": "the result of `prefixed` is longer than 1000000",
    "{{ doubled | length }}": "the result of `length` is longer than 1000000",
    "{{ doubled == doubled }}": "the result of `known value` is longer than 1000000",
    "{{ deep | to_json }}": "a value has more than 100 mappings or lists inside one another",
    "{{ [" + "big[1:] | length, " * 20 + "] }}": "it needs too much time",
    "{{ " + " and ".join(["big | length > 1"] * 20) + " }}": "it needs too much time",
    "{{ 1e999 }}": "a number is too large, or is none",
    "{{ 1e308 * 10 }}": "a number is too large, or is none",
    "{{ 'nan' | float }}": "a number is too large, or is none",
    "{{ -1e999 | abs }}": "a number is too large, or is none",
    "{{ 1 }}" * 40_000: "a text with expressions has more than 262144 characters",
}


def _costly_scope() -> dict[str, Any]:
    doubled: list[Any] = []
    deep: list[Any] = []
    for _ in range(60):
        doubled = [doubled, doubled]
    for _ in range(150):
        deep = [deep]
    return {"big": "b" * 900_000, "members": [1] * 100_000, "huge": 1 << 5000, "doubled": doubled, "deep": deep}


@pytest.mark.parametrize(("text", "expected"), COSTLY.items(), ids=[text[:40] for text in COSTLY])
def test_no_filter_and_no_operator_costs_more_than_an_expression_may(text: str, expected: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).evaluate(_costly_scope())
    assert caught.value.message == expected


def test_a_number_that_is_squared_again_and_again_is_refused() -> None:
    squared = parse("{{ n * n }}")

    def steps() -> Any:
        number: Any = 3
        for _ in range(33):
            number = squared.evaluate({"n": number})

    with pytest.raises(ExpressionError, match="more than 4096 bits"):
        steps()


def test_the_expressions_of_a_file_have_one_budget_together() -> None:
    budget = Budget(left=1_500_000)
    measured = parse("{{ big | length }}")
    assert measured.evaluate(_costly_scope(), budget) == 900_000
    assert parse("{{ 1 + 1 }}").evaluate({}, budget) == 2
    assert measured.evaluate(_costly_scope(), budget) == 900_000
    with pytest.raises(ExpressionError, match="too much time together"):
        measured.evaluate(_costly_scope(), budget)


def test_every_filter_weighs_what_it_takes_and_gives() -> None:
    """A filter that is added later is bounded as the others are."""
    for name in offered_filters():
        with pytest.raises(ExpressionError, match="longer than 1000000"):
            offered_filters()[name](*([None] if name in PASSED else []), ["b" * 900_000, "b" * 900_000])


def test_large_products_within_the_bound_are_given() -> None:
    assert len(value("{{ 'a' * 1000000 }}")) == 1_000_000


def test_references_are_the_names_with_their_paths() -> None:
    assert parse("{{ a.b['c'] }}{{ d[e.f] ~ (g | default(h)) }} i").references == {
        ("a", "b", "c"),
        ("d",),
        ("e", "f"),
        ("g",),
        ("h",),
    }
    assert parse("{{ a.b ~ a.c }}").roots == {"a"}


@pytest.mark.parametrize(
    ("text", "expected"), [("plain", False), ("{ a }", False), ("{{ a }}", True), ("{% x %}", True), ("{# x #}", True)]
)
def test_only_text_with_braces_is_an_expression(text: str, *, expected: bool) -> None:
    assert is_expression(text) is expected


SECRETS = {
    "{{ secret }}": SENTINEL,
    "{{ holder.token }}": SENTINEL,
    "key={{ secret }}": f"key={SENTINEL}",
    "{{ secret ~ bytes }}": SENTINEL * 2,
    "bytes={{ bytes }}": f"bytes={SENTINEL}",
    "{{ secret | b64encode }}": base64.b64encode(SENTINEL.encode()).decode(),
    "{{ bytes | b64encode }}": base64.b64encode(SENTINEL.encode()).decode(),
    "{{ holder | to_json }}": f'{{"list": ["{SENTINEL}", "plain"], "token": "{SENTINEL}"}}',
    "{{ holder.list | join('-') }}": f"{SENTINEL}-plain",
    "{{ [secret, 'x'] | last }}": "x",
    "{{ secret[0:3] }}": SENTINEL[:3],
    "{{ 'yes' if secret == name else 'no' }}": "no",
    "{{ 'yes' if holder.list == list else 'no' }}": "no",
}


@pytest.mark.parametrize(("text", "expected"), SECRETS.items())
def test_what_is_computed_from_a_secret_is_a_secret(text: str, expected: str) -> None:
    found = value(text)
    assert isinstance(found, Secret)
    assert SENTINEL not in repr(found)
    assert found.reveal() == expected


def test_a_lone_reference_keeps_the_handle() -> None:
    assert value("{{ secret }}").handle == "vault:s"
    assert value("x{{ secret }}").handle is None


NOT_TEXT = ("{{ secret == name }}", "{{ secret | length }}", "{{ [secret] + [] }}", "{{ holder.list | unique }}")


@pytest.mark.parametrize("text", NOT_TEXT)
def test_what_says_something_of_a_secret_must_be_text(text: str) -> None:
    assert fault(text) == "an expression over a secret must give text"


QUOTING = (
    "{{ map[secret] }}",
    "{{ map[secret] ~ '' }}",
    "{{ list[secret] }}",
    "{{ [map, map] | max(attribute=secret) }}",
)


@pytest.mark.parametrize("text", QUOTING)
def test_a_fault_over_a_secret_does_not_quote_it(text: str) -> None:
    assert fault(text) == "cannot be evaluated over a secret"


def test_a_fault_over_a_secret_still_names_what_is_undefined() -> None:
    assert fault("{{ secret ~ missing }}") == "'missing' is undefined"
    assert fault("{{ secret ~ map.nope }}") == "'map.nope' is undefined"


def test_a_locked_secret_gives_a_locked_secret() -> None:
    found = value("x{{ locked }}")
    assert isinstance(found, Secret)
    assert not found.is_available()
    with pytest.raises(SecretLockedError, match="vault:locked"):
        found.reveal()


def test_a_secret_inside_a_value_stays_one() -> None:
    assert repr(value("{{ {'a': holder} }}")) == "{'a': {'token': Secret(), 'list': [Secret(), 'plain']}}"


UNKNOWNS = (
    "{{ unknown }}",
    "{{ unknown.member.deeper }}",
    "x{{ unknown }}",
    "{{ unknown ~ secret }}",
    "{{ secret ~ unknown }}",
    "{{ partly.later }}",
    "{{ partly.later | default('x') }}",
    "{{ partly | to_json }}",
    "{{ partly.list | join }}",
    "{{ partly == map }}",
    "{{ 2 in partly.list }}",
    "{{ unknown is defined }}",
    "{{ 'a' if unknown else 'b' }}",
    "{{ range(unknown) }}",
    "{{ partly.list[1] }}",
    "{{ partly.list[1] + 1 }}",
)


@pytest.mark.parametrize("text", UNKNOWNS)
def test_what_touches_an_unknown_is_that_unknown(text: str) -> None:
    assert value(text) == UNKNOWN


def test_what_passes_by_an_unknown_member_is_known() -> None:
    assert value("{{ partly.known + 1 }}") == 2
    assert value("{{ 'a' if on else partly.later }}") == "a"


def test_naming_an_unknown_anywhere_is_touching_it() -> None:
    assert value("{{ 'a' if on else unknown }}") == UNKNOWN


NAMES = st.sampled_from(["secret", "bytes", "holder", "holder.token", "holder.list", "name", "count", "map", "missing"])
LITERALS = st.sampled_from(["'x'", "1", "true", "[]", "{}", "'name'"])
FILTERS = ["default('x')", "first", "float", "int", "join('-')", "last", "length", "list", "lower", "max", "min"]
FILTERS += ["replace('s', 'z')", "round", "sort", "string", "trim", "unique", "upper", "to_json", "b64encode", "abs"]
FILTERS += ["keyed('k')", "combine({'k': 1})", "having('k')", "prefixed('p')", "nope"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">", "and", "or", "in"]


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({} | {})".format, inner, st.sampled_from(FILTERS)),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[0:2]".format, inner),
        st.builds("{}.{}".format, NAMES, st.sampled_from(["upper", "token", "format", "__class__", "nope"])),
        st.builds("{}({})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'k': {}}}".format, inner),
        st.builds("(not {})".format, inner),
        st.builds("({} is {})".format, inner, st.sampled_from(["none", "defined", "mapping", "string", "even"])),
        st.builds("({} | default({}))".format, inner, inner),
        st.builds("({} | max(attribute={}))".format, inner, inner),
    )


EXPRESSIONS = st.recursive(NAMES | LITERALS, _composed, max_leaves=6)


@example("(secret if 1[0:2] else secret)", "{{{{ {} }}}}")
@given(EXPRESSIONS, st.sampled_from(["{{{{ {} }}}}", "x{{{{ {} }}}}", "{{{{ {} }}}}y{{{{ name }}}}"]))
def test_no_expression_makes_a_secret_text(expression: str, around: str) -> None:
    text = around.format(expression)
    try:
        found = parse(text).evaluate(scope())
    except ExpressionError as error:
        said = "".join(traceback.format_exception(error)) + repr(error)
    else:
        said = repr(found) + str(found)
    for leaked in (SENTINEL, SENTINEL.upper(), SENTINEL.lower(), base64.b64encode(SENTINEL.encode()).decode()):
        assert leaked not in said


@given(st.text(alphabet="{}%#|[]().'\"ab1 ~*+-\n\\_,:", max_size=40))
def test_any_text_parses_or_says_what_is_wrong(text: str) -> None:
    offset = 0
    try:
        parse(text).evaluate({"a": "x", "b": {"a": 1}})
    except ExpressionError as error:
        offset = error.offset
    assert 0 <= offset <= len(text)
