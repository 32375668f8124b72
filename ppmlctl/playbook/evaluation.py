"""Template trees of playbooks -> values; names that tasks register are looked up in the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.expressions import OMIT, Budget, ExpressionError, is_expression, parse, refuse_heavy
from ppmlctl.planning import Results
from ppmlctl.playbook.faults import expression_fault, omitted_fault
from ppmlctl.playbook.words import OMIT_NAME
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.unknown import Unknown

Scope = Mapping[str, Any]

At = Callable[..., Location]
"""The place of a value, or of what is in it behind the keys that it is called with.

Asked for only where something is wrong, since finding it takes longer than evaluating.
"""


@dataclass
class Registered:
    """Where a registered name finds its results: one address, or one for each turn of a loop.

    `position` is that of the task in the playbook.
    """

    position: int
    addresses: dict[str, str] = field(default_factory=dict)
    looped: bool = False

    def value(self, results: Results) -> Any:
        """The result of the task, or those of all turns that have one by their keys; None where there is none."""
        if not self.looped:
            return results.get(self.addresses[""])
        return {key: results[address] for key, address in self.addresses.items() if address in results}


@dataclass(frozen=True)
class Later:
    """A variable that reads results: evaluated where it is used, in the scope that it was written in."""

    template: Any
    scope: Scope
    at: At
    reads: frozenset[str]
    """The registered names that it starts from, by itself and by other variables."""


@dataclass(frozen=True)
class Broken:
    """A variable that cannot be evaluated: told where it is used, since it may be meant for where it can be."""

    faults: tuple[Diagnostic, ...]


@dataclass
class Evaluation:
    """Evaluates within one playbook. `registers` are all names that any of its tasks registers.

    A name that several tasks register means the last of them; to a task among them, the last before it.
    """

    registers: frozenset[str]
    registered: dict[str, Registered] = field(default_factory=dict)
    hidden: list[tuple[str, Registered]] = field(default_factory=list)
    """Those that a later task hides, in the order of the playbook."""
    budget: Budget = field(default_factory=Budget)

    def register(self, name: str, key: str | None, address: str, position: int) -> None:
        """Says that the task at `position` gives its result, or that of the turn `key` of its loop, this name."""
        last = self.registered.get(name)
        if last is not None and last.position != position:
            self.hidden.append((name, last))
            last = None
        if last is None:
            last = self.registered[name] = Registered(position, looped=key is not None)
        last.addresses[key or ""] = address

    def seen_from(self, position: int) -> Evaluation:
        """As the task there sees it."""
        before = {name: one for name, one in self.hidden if one.position < position <= self.registered[name].position}
        return replace(self, registered={**self.registered, **before}) if before else self

    def addresses(self) -> frozenset[str]:
        """Those of all tasks that register a name."""
        every = [*self.registered.values(), *(one for _, one in self.hidden)]
        return frozenset(address for one in every for address in one.addresses.values())

    def depends_on_results(self, template: Any, scope: Scope = MappingProxyType({})) -> bool:
        """Whether anything in it starts from a registered name, or from a variable in `scope` that does."""
        return bool(self._reads(template, scope))

    def sources(self, template: Any, scope: Scope = MappingProxyType({})) -> frozenset[str]:
        """The addresses of the tasks whose results it reads, by itself and by variables in `scope`."""
        names = self._reads(template, scope) & self.registered.keys()
        return frozenset(address for name in names for address in self.registered[name].addresses.values())

    def _reads(self, template: Any, scope: Scope) -> frozenset[str]:
        names = roots(template)
        through = [value.reads for name in names if type(value := scope.get(name)) is Later]
        return frozenset(self.registers.intersection(names) - scope.keys()).union(*through)

    def variable(self, template: Any, scope: Scope, at: At) -> Any:
        """The value of a variable, or what stands for it until it is used."""
        if reads := self._reads(template, scope):
            return Later(template, scope, at, reads)
        try:
            return self.evaluate(template, scope, {}, at)
        except InputError as error:
            return Broken(error.diagnostics)

    def needed(self, template: Any, scope: Scope, results: Results, at: At) -> Any:
        """The value of a template tree where one is needed. Raises InputError at `at`, also where it is omitted."""
        value = self.evaluate(template, scope, results, at)
        if value is OMIT:
            raise InputError(omitted_fault(at()))
        return value

    def evaluate(self, template: Any, scope: Scope, results: Results, at: At) -> Any:
        """The value of a template tree, in which nothing is that is omitted; OMIT for itself. Raises InputError."""
        try:
            value = self._tree(template, scope, results, at, ())
        except RecursionError:
            raise InputError(expression_fault(ExpressionError("variables go too deep"), "", at())) from None
        if isinstance(value, dict | list) and not isinstance(template, str):
            # Lists of lists that share their members double at every step, without any operation.
            try:
                refuse_heavy(value)
            except ExpressionError as error:
                raise InputError(expression_fault(error, "", at())) from None
        return value

    def _tree(self, template: Any, scope: Scope, results: Results, at: At, path: KeyPath) -> Any:
        if isinstance(template, str):
            return self._text(template, scope, results, at, path) if is_expression(template) else template
        if isinstance(template, dict):
            members = ((name, self._tree(one, scope, results, at, (*path, name))) for name, one in template.items())
            return {name: member for name, member in members if member is not OMIT}
        if isinstance(template, list):
            entries = (self._tree(one, scope, results, at, (*path, index)) for index, one in enumerate(template))
            return [entry for entry in entries if entry is not OMIT]
        return template

    def _text(self, text: str, scope: Scope, results: Results, at: At, path: KeyPath) -> Any:
        try:
            expression = parse(text)
            return expression.evaluate(self._seen(expression.roots, scope, results), self.budget)
        except ExpressionError as error:
            raise InputError(expression_fault(error, text, at(*path))) from None

    def _seen(self, names: frozenset[str], scope: Scope, results: Results) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name in names:
            if name == OMIT_NAME:
                seen[name] = OMIT
            elif name in scope:
                seen[name] = self._known(scope[name], results)
            elif name in self.registered and (value := self.registered[name].value(results)) is not None:
                seen[name] = value
        return seen

    def _known(self, value: Any, results: Results) -> Any:
        if type(value) is Later:
            return self.evaluate(value.template, value.scope, results, value.at)
        if type(value) is Broken:
            raise InputError(*value.faults)
        return value


class Unknowns(Mapping[str, Any]):
    """Results of which nothing is known: every registered task gives an Unknown."""

    def __init__(self, addresses: frozenset[str]) -> None:
        self._addresses = addresses

    def __getitem__(self, address: str) -> Any:
        if address not in self._addresses:
            raise KeyError(address)
        return Unknown(address)

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)


def roots(template: Any) -> set[str]:
    """The names that the expressions in a template tree start from."""
    return set(_roots(template))


def _roots(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield from _roots_of_text(template)
    elif isinstance(template, dict):
        for member in template.values():
            yield from _roots(member)
    elif isinstance(template, list | tuple):
        for member in template:
            yield from _roots(member)


def _roots_of_text(text: str) -> frozenset[str]:
    if not is_expression(text):
        return frozenset()
    try:
        return parse(text).roots
    except ExpressionError:
        return frozenset()
