"""`vars:` and the `{{ }}` expressions over them, evaluated before ppml.yaml is validated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ppmlctl.expressions import (
    Budget,
    Expansion,
    ExpansionError,
    Expression,
    ExpressionError,
    is_expression,
    parse,
)
from ppmlctl.spec.finding import Finding, did_you_mean
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.yaml_scalar import resolve

_FUNCTIONS = frozenset({"range"})


class Unrendered:
    """Stands for a value whose expression failed, so that one mistake is reported once."""


UNRENDERED = Unrendered()


@dataclass
class Variables:
    """The values of all variables that could be had, and what was wrong with the others."""

    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _unrendered: set[str] = field(default_factory=set)
    _weights: dict[str, int] = field(default_factory=dict)
    _expansion: Expansion = field(default_factory=Expansion)
    _budget: Budget = field(default_factory=Budget)
    _is_exhausted: bool = False

    def define(self, name: str, source: Any) -> None:
        """Gives `name` its value; the variables it refers to must have theirs."""
        seen, path = len(self.findings), ("vars", name)
        self.values[name] = self.render(source, path)
        self._weights[name] = self._weigh(self.values[name], path)
        if (
            self._is_exhausted
            or len(self.findings) > seen
            or any(needed in self._unrendered for needed in names_in(source))
        ):
            self.forget(name)

    def forget(self, name: str) -> None:
        """Lets everything that refers to `name` pass without a second error."""
        self.values[name] = UNRENDERED
        self._unrendered.add(name)

    def render(self, value: Any, path: KeyPath = ()) -> Any:
        """`value` with every expression in it evaluated; UNRENDERED where that failed. Shares nothing with `value`."""
        if isinstance(value, dict):
            return {key: self.render(member, (*path, key)) for key, member in value.items()}
        if isinstance(value, list):
            return [self.render(member, (*path, index)) for index, member in enumerate(value)]
        return self._evaluate(value, path) if isinstance(value, str) and is_expression(value) else value

    def _evaluate(self, text: str, path: KeyPath) -> Any:
        if self._is_exhausted:
            return UNRENDERED
        try:
            expression = parse(text)
            names = {reference[0] for reference in expression.references} - _FUNCTIONS
            undefined = sorted(names - self.values.keys())
            self.findings += [self._undefined(name, text, path) for name in undefined]
            return UNRENDERED if undefined or names & self._unrendered else self._expand(expression, names)
        except ExpressionError as error:
            title, fix = "an expression cannot be evaluated", "ppml.yaml's expressions see the names under `vars`"
            found = Finding(path, "wrong-expression", title, error.message, fix=fix, offset=error.offset)
            self.findings.append(found)
        except ExpansionError as error:
            self._too_large(path, error)
        return UNRENDERED

    def _expand(self, expression: Expression, names: set[str]) -> Any:
        heaviest = max((self._weights.get(name, 0) for name in names), default=0)
        self._expansion.reserve(heaviest * expression.text.count("{{"))
        return self._expansion.take(expression.evaluate(self.values, self._budget))[0]

    def _weigh(self, value: Any, path: KeyPath) -> int:
        try:
            return self._expansion.take(value)[1]
        except ExpansionError as error:
            self._too_large(path, error)
            return 0

    def _too_large(self, path: KeyPath, error: ExpansionError) -> None:
        """Said once: after the first, nearly every expression would be refused."""
        title, why = "expressions give too much", "variables inside variables could fill the memory"
        found = Finding(path, "expansion-too-large", title, str(error), why, "share less through `vars`")
        if not self._is_exhausted:
            self.findings.append(found)
        self._is_exhausted = True

    def _undefined(self, name: str, text: str, path: KeyPath) -> Finding:
        fix = did_you_mean(name, sorted(self.values)) or "declare it under `vars`"
        offset = max(0, text.find("{{"))
        return Finding(path, "undefined-variable", "a variable is not declared", name, fix=fix, offset=offset)


def resolve_variables(declared: Mapping[str, Any], given: Mapping[str, str]) -> Variables:
    """The variables under `vars`, with those of the command line in their place, evaluated in the order they need."""
    variables = Variables()
    sources = dict(declared)
    for name, text in given.items():
        if name in declared:
            sources[name] = _typed_as(declared[name], text)
        else:
            variables.findings.append(_not_declared(name, declared))
    for name in _in_order(sources, variables):
        variables.define(name, sources[name])
    return variables


def _not_declared(name: str, declared: Mapping[str, Any]) -> Finding:
    fix = did_you_mean(name, sorted(declared)) or f"declare {name} under `vars` with a default"
    return Finding((), "undefined-variable", "a variable is not declared", f"--var {name}", fix=fix)


def _typed_as(declared: Any, text: str) -> Any:
    """A word of the command line means what a plain scalar would; where text is declared, it is text."""
    return text if isinstance(declared, str) else resolve(text)


def _in_order(sources: Mapping[str, Any], variables: Variables) -> list[str]:
    """Names, each after those it refers to. A cycle is reported, and what waits for it gets no value."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for name, source in sources.items():
        order.add(name, *(needed for needed in names_in(source) if needed in sources))
    try:
        order.prepare()
    except CycleError as error:
        variables.findings.append(_cyclic(circle_from(list(reversed(error.args[1]))[:-1], list(sources))))
    ordered: list[str] = []
    while ready := order.get_ready():
        ordered += ready
        order.done(*ready)
    for name in sources.keys() - set(ordered):
        variables.forget(name)
    return ordered


def circle_from(members: list[str], written: list[str]) -> list[str]:
    """The members of a circle in their order, beginning and ending with the one that is written first."""
    position = {name: index for index, name in enumerate(written)}
    turn = min(range(len(members)), key=lambda index: position[members[index]])
    return [*members[turn:], *members[:turn], members[turn]]


def _cyclic(names: list[str]) -> Finding:
    title, fix = "variables refer to each other in a circle", "give one of them a value of its own"
    return Finding(("vars", names[0]), "variable-cycle", title, " -> ".join(names), fix=fix)


def names_in(value: Any) -> Iterator[str]:
    """The variables that the expressions inside a value read."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from names_in(member)
    elif isinstance(value, str) and is_expression(value):
        try:
            yield from (reference[0] for reference in parse(value).references)
        except ExpressionError:
            return  # reported when it is evaluated
