"""`vars:` and the `{{ }}` expressions over them, evaluated before ppml.yaml is validated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ppmlctl.expressions import ExpressionError, is_expression, parse
from ppmlctl.spec.finding import Finding, did_you_mean
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.yaml_scalar import resolve


class Unrendered:
    """Stands for a value whose expression failed, so that one mistake is reported once."""


UNRENDERED = Unrendered()


@dataclass
class Variables:
    """The values of all variables that could be had, and what was wrong with the others."""

    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def render(self, value: Any, path: KeyPath = ()) -> Any:
        """`value` with every expression in it evaluated; UNRENDERED where that failed."""
        if isinstance(value, dict):
            return {key: self.render(member, (*path, key)) for key, member in value.items()}
        if isinstance(value, list):
            return [self.render(member, (*path, index)) for index, member in enumerate(value)]
        return self._evaluate(value, path) if isinstance(value, str) and is_expression(value) else value

    def _evaluate(self, text: str, path: KeyPath) -> Any:
        try:
            expression = parse(text)
            names = sorted({reference[0] for reference in expression.references})
            undefined = [name for name in names if name not in self.values and name not in _FUNCTIONS]
            self.findings += [self._undefined(name, text, path) for name in undefined]
            if undefined or any(_holds_unrendered(self.values.get(name)) for name in names):
                return UNRENDERED
            return expression.evaluate(self.values)
        except ExpressionError as error:
            title = "an expression cannot be evaluated"
            fix = "ppml.yaml's expressions see the names under `vars`"
            self.findings.append(Finding(path, "wrong-expression", title, error.message, fix=fix, offset=error.offset))
            return UNRENDERED

    def _undefined(self, name: str, text: str, path: KeyPath) -> Finding:
        fix = did_you_mean(name, sorted(self.values)) or "declare it under `vars`"
        offset = max(0, text.find("{{"))
        return Finding(path, "undefined-variable", "a variable is not declared", name, fix=fix, offset=offset)


_FUNCTIONS = frozenset({"range"})


def resolve_variables(declared: Mapping[str, Any], given: Mapping[str, str]) -> Variables:
    """The variables under `vars`, with those of the command line in their place, evaluated in the order they need."""
    variables = Variables()
    sources = dict(declared)
    for name, text in given.items():
        if name not in declared:
            fix = did_you_mean(name, sorted(declared)) or f"declare {name} under `vars` with a default"
            found = f"--var {name}"
            variables.findings.append(Finding((), "undefined-variable", "a variable is not declared", found, fix=fix))
        else:
            sources[name] = _typed_as(declared[name], text)
    for name in _in_order(sources, variables):
        if name not in variables.values:
            variables.values[name] = variables.render(sources[name], ("vars", name))
    return variables


def _typed_as(declared: Any, text: str) -> Any:
    """A word of the command line means what a plain scalar would; where text is declared, it is text."""
    return text if isinstance(declared, str) else resolve(text)


def _in_order(sources: Mapping[str, Any], variables: Variables) -> list[str]:
    """Names, each after those it refers to. A cycle is reported, and its members get no value."""
    needs = {name: sorted({n for n in _names_in(value) if n in sources}) for name, value in sources.items()}
    while True:
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            cycle = list(reversed(error.args[1]))
            first = min(cycle, key=list(sources).index)
            turn = cycle.index(first)
            shown = [*cycle[turn:-1], *cycle[:turn], first]
            variables.findings.append(_cyclic(shown))
            for name in shown:
                needs[name] = []
                variables.values[name] = UNRENDERED


def _cyclic(names: list[str]) -> Finding:
    title = "variables refer to each other in a circle"
    fix = "give one of them a value of its own"
    return Finding(("vars", names[0]), "variable-cycle", title, " -> ".join(names), fix=fix)


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _names_in(member)
    elif isinstance(value, str) and is_expression(value):
        try:
            yield from (reference[0] for reference in parse(value).references)
        except ExpressionError:
            return  # reported when it is evaluated


def _holds_unrendered(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_holds_unrendered(member) for member in (value.values() if isinstance(value, dict) else value))
    return value is UNRENDERED
