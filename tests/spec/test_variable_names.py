import pytest

from ppmlctl.spec.variables import Variables, resolve_variables


def _codes(variables: Variables) -> list[str]:
    return [finding.code for finding in variables.findings]


def test_lists_that_double_at_every_step_are_stopped() -> None:
    doubling = {f"v{n}": [f"{{{{ v{n - 1} }}}}"] * 10 for n in range(1, 40)}
    assert _codes(resolve_variables({"v0": "x", **doubling}, {})) == ["expansion-too-large"]


def test_texts_that_grow_at_every_step_are_stopped() -> None:
    growing = {f"v{n}": f"{{{{ v{n - 1} }}}}" * 10 for n in range(1, 40)}
    assert _codes(resolve_variables({"v0": "x" * 100, **growing}, {})) == ["expansion-too-large"]


def test_one_expression_that_names_a_long_text_often_is_stopped_before_it_is_evaluated() -> None:
    variables = resolve_variables({"long": "x" * 100_000, "wide": "{{ long }}" * 100}, {})
    assert _codes(variables) == ["expansion-too-large"]


def test_variables_nested_through_each_other_are_stopped() -> None:
    nested = {f"v{n}": {"in": f"{{{{ v{n - 1} }}}}"} for n in range(1, 100)}
    assert _codes(resolve_variables({"v0": "x", **nested}, {})) == ["expansion-too-large"]


def test_what_does_not_wait_for_a_cycle_gets_its_value() -> None:
    variables = resolve_variables({"a": "{{ b }}", "b": "{{ a }}", "behind": "{{ a }}", "c": "{{ d }}", "d": 1}, {})
    assert variables.values["c"] == 1
    assert _codes(variables) == ["variable-cycle"]


def test_a_value_shares_nothing_with_the_variable_it_comes_from() -> None:
    variables = resolve_variables({"hosts": [1]}, {})
    variables.render("{{ hosts }}").append(2)
    assert variables.values["hosts"] == [1]


@pytest.mark.parametrize(
    "text", ["{{", "{{ }}", "{{ a", "{% if a %}", "{{ a.__class__ }}", "{{ a | unheard }}", "{{ 1/0 }}"]
)
def test_a_wrong_expression_is_one_finding(text: str) -> None:
    assert _codes(resolve_variables({"a": 1, "b": text}, {})) == ["wrong-expression"]
