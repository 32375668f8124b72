"""Tasks as written -> tasks as planned: conditions and loops decided, references between tasks turned into edges."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.expressions import ExpressionError, is_expression, parse
from ppmlctl.planning import Results, Task
from ppmlctl.playbook.faults import argument_faults, expression_fault
from ppmlctl.playbook.parse import Playbook, WrittenOutputs, WrittenTask
from ppmlctl.unknown import Unknown

Scope = Mapping[str, Any]


class ModuleDeclaration(Protocol):
    """What a playbook needs to know of a module: the shape of its arguments."""

    @property
    def Args(self) -> type[BaseModel]: ...  # noqa: N802 - a class that modules carry


@dataclass(frozen=True)
class Output:
    """A named value of the environment; evaluated when the results are known."""

    name: str
    sources: frozenset[str]
    evaluate: Callable[[Results], Any]

    def evaluate_if_known(self, results: Results) -> Any:
        """Its value, or None while a result that it reads is not there."""
        return self.evaluate(results) if self.sources <= results.keys() else None


@dataclass(frozen=True)
class Expanded:
    """All tasks and outputs of an environment."""

    tasks: tuple[Task, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class _Instance:
    """One task, or one turn of its loop."""

    written: WrittenTask
    address: str
    scope: Scope


@dataclass
class _Registered:
    """Where a registered name finds its results: one address, or one for each turn of a loop."""

    addresses: dict[str, str] = field(default_factory=dict)
    looped: bool = False

    def value(self, results: Results) -> Any:
        if not self.looped:
            return results.get(self.addresses[""])
        return {key: results[address] for key, address in self.addresses.items() if address in results}


def expand(playbook: Playbook, scope: Scope, modules: Mapping[str, ModuleDeclaration]) -> Expanded:
    """Evaluates what can be evaluated without results. Raises InputError with every fault found."""
    return _Expansion(playbook, scope, modules).run()


class _Expansion:
    def __init__(self, playbook: Playbook, scope: Scope, modules: Mapping[str, ModuleDeclaration]) -> None:
        self.playbook = playbook
        self.scope = scope
        self.modules = modules
        self.faults: list[Diagnostic] = []
        self.registered: dict[str, _Registered] = {}
        self.by_name: dict[str, list[str]] = {task.name: [] for task in playbook.tasks}
        self.addresses: set[str] = set()
        self.registers = {task.register for task in playbook.tasks if task.register}

    def run(self) -> Expanded:
        instances = [instance for written in self.playbook.tasks for instance in self._instances(written)]
        self.addresses = {instance.address for instance in instances}
        tasks = [self._task(order, instance) for order, instance in enumerate(instances)]
        outputs = [output for written in self.playbook.outputs for output in self._outputs(written)]
        if self.faults:
            raise InputError(*self.faults)
        return Expanded(tuple(tasks), tuple(outputs))

    def _instances(self, written: WrittenTask) -> Iterator[_Instance]:
        scope = self._with_variables(written)
        for key, member in self._turns(written, scope):
            turn = scope if key is None else {**scope, "item": member}
            if not self._depends_on_results(written.when) and not self._holds(written.when, turn, written.at("when")):
                continue
            address = written.name if key is None else f"{written.name}.{key}"
            self.by_name[written.name].append(address)
            if written.register:
                registered = self.registered.setdefault(written.register, _Registered(looped=key is not None))
                registered.addresses[key or ""] = address
            yield _Instance(written, address, turn)

    def _with_variables(self, written: WrittenTask) -> Scope:
        scope = dict(self.scope)
        for name, value in written.variables.items():
            scope[name] = (
                value if self._depends_on_results(value) else self._evaluated(value, scope, written, "vars", name)
            )
        return scope

    def _turns(self, written: WrittenTask, scope: Scope) -> Iterator[tuple[str | None, Any]]:
        if written.loop is None:
            yield None, None
            return
        at = written.at("loop")
        if self._depends_on_results(written.loop):
            self.faults.append(_loop_fault(at, "its length depends on what another task gives"))
            return
        members = self._evaluated(written.loop, scope, written, "loop")
        if isinstance(members, Mapping):
            yield from ((str(key), member) for key, member in members.items())
        elif isinstance(members, list | tuple):
            yield from ((_key_of(member, index), member) for index, member in enumerate(members))
        elif members is not None:
            self.faults.append(_loop_fault(at, f"it gives a {type(members).__name__}"))

    def _task(self, order: int, instance: _Instance) -> Task:
        written = instance.written
        roots = _roots([written.arguments, written.when, written.variables]) & self.registers
        sources = {address for root in roots if root in self.registered for address in self._addresses(root)}
        arguments = _Arguments(self, instance)
        arguments.check()
        return Task(
            instance.address,
            written.module,
            order,
            arguments,
            sources=frozenset(sources),
            needs=frozenset(sources | self._needs(instance)),
            condition=self._condition(instance),
            tags=frozenset(written.tags),
            protect=written.protect,
            title=written.title,
            location=written.at(),
        )

    def _addresses(self, register: str) -> Iterator[str]:
        return iter(self.registered[register].addresses.values())

    def _needs(self, instance: _Instance) -> set[str]:
        """Names of tasks, with all turns of their loops, or addresses of single turns; expressions may give lists."""
        written, found = instance.written, set()
        for index, need in enumerate(written.needs):
            value = self._evaluated(need, instance.scope, written, "needs", index)
            for name in value if isinstance(value, list) else [value]:
                if name in self.by_name:
                    found.update(self.by_name[name])
                elif name in self.addresses:
                    found.add(name)
                elif name is not None:
                    self.faults.append(_unknown_need(str(name), self.by_name, written.at("needs", index)))
        return found

    def _condition(self, instance: _Instance) -> Callable[[Results], bool | Unknown] | None:
        when = instance.written.when
        if not self._depends_on_results(when):
            return None

        def condition(results: Results) -> bool | Unknown:
            value = self.evaluate(when, instance.scope, results, instance.written.at("when"))
            return value if isinstance(value, Unknown) else bool(value)

        return condition

    def _outputs(self, written: WrittenOutputs) -> Iterator[Output]:
        if not self._holds(written.when, self.scope, written.at("when") if written.when is not None else written.at()):
            return
        for name, value in written.values.items():
            at = written.at("outputs", name)
            sources = {a for root in _roots(value) & self.registered.keys() for a in self._addresses(root)}
            evaluate = partial(self._output, value, at)
            yield Output(name, frozenset(sources), evaluate)

    def _output(self, value: Any, at: Location, results: Results) -> Any:
        return self.evaluate(value, self.scope, results, at)

    def _depends_on_results(self, value: Any) -> bool:
        return bool(_roots([value]) & self.registers)

    def _holds(self, when: Any, scope: Scope, at: Location) -> bool:
        if when is None:
            return True
        try:
            return bool(self.evaluate(when, scope, {}, at))
        except InputError as error:
            self.faults.extend(error.diagnostics)
            return False

    def _evaluated(self, value: Any, scope: Scope, written: WrittenTask, *path: str | int) -> Any:
        try:
            return self.evaluate(value, scope, {}, written.at(*path))
        except InputError as error:
            self.faults.extend(error.diagnostics)
            return None

    def evaluate(self, value: Any, scope: Scope, results: Results, at: Location) -> Any:
        """A template tree's value; registered names are looked up in `results`. Raises InputError at `at`."""
        if isinstance(value, str):
            if not is_expression(value):
                return value
            try:
                expression = parse(value)
                return expression.evaluate(self._seen(expression.roots, scope, results, at))
            except ExpressionError as error:
                raise InputError(expression_fault(error, value, at)) from None
        if isinstance(value, dict):
            return {name: self.evaluate(member, scope, results, at) for name, member in value.items()}
        if isinstance(value, list):
            return [self.evaluate(member, scope, results, at) for member in value]
        return value

    def _seen(self, roots: frozenset[str], scope: Scope, results: Results, at: Location) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for root in roots:
            if root in scope:
                value = scope[root]
                seen[root] = self.evaluate(value, scope, results, at) if self._depends_on_results(value) else value
            elif root in self.registered and (value := self.registered[root].value(results)) is not None:
                seen[root] = value
        return seen


class _Arguments:
    """A task's arguments as a function of the results. Arguments without references are made once."""

    def __init__(self, expansion: _Expansion, instance: _Instance) -> None:
        self._expansion = expansion
        self._instance = instance
        written = instance.written
        self._constant = not expansion._depends_on_results([written.arguments, written.variables])  # noqa: SLF001 - same file
        self._made: BaseModel | None = None

    def check(self) -> None:
        """Finds the faults that show without any result: wrong names and types, undefined variables."""
        everything_unknown = _Unknowns(self._expansion.registered)
        try:
            self(everything_unknown)
        except InputError as error:
            self._expansion.faults.extend(error.diagnostics)

    def __call__(self, results: Results) -> BaseModel:
        if self._made is not None:
            return self._made
        written = self._instance.written
        values = {name: self._value(name, member, results) for name, member in written.arguments.items()}
        shape = self._expansion.modules[written.module].Args
        try:
            made = shape.model_validate(values)
        except ValidationError as error:
            raise InputError(*argument_faults(error, written, shape.model_fields)) from None
        if self._constant:
            self._made = made
        return made

    def _value(self, name: str, member: Any, results: Results) -> Any:
        written = self._instance.written
        return self._expansion.evaluate(member, self._instance.scope, results, written.at(written.module, name))


class _Unknowns(Mapping[str, Any]):
    """Results of which nothing is known: every registered task gives an Unknown."""

    def __init__(self, registered: Mapping[str, _Registered]) -> None:
        self._addresses = {address for one in registered.values() for address in one.addresses.values()}

    def __getitem__(self, address: str) -> Any:
        if address not in self._addresses:
            raise KeyError(address)
        return Unknown(address)

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)


def _roots(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_roots_of_text(value))
    if isinstance(value, Mapping):
        return set().union(*(_roots(member) for member in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(_roots(member) for member in value))
    return set()


def _roots_of_text(text: str) -> frozenset[str]:
    if not is_expression(text):
        return frozenset()
    try:
        return parse(text).roots
    except ExpressionError:
        return frozenset()


def _key_of(member: Any, index: int) -> str:
    if isinstance(member, Mapping) and isinstance(member.get("name"), str):
        return str(member["name"])
    return member if isinstance(member, str) else str(index)


def _loop_fault(at: Location, found: str) -> Diagnostic:
    return Diagnostic(
        "task-loop",
        "`loop` takes a list or mapping that is known before apply",
        found=found,
        why="a plan shows every task before anything is touched",
        at=at,
    )


def _unknown_need(name: str, names: Mapping[str, Any], at: Location) -> Diagnostic:
    near = difflib.get_close_matches(name, names, n=1)
    return Diagnostic(
        "task-need-unknown",
        "a task needs a task that does not exist",
        found=f"`{name}`",
        fix=f"did you mean `{near[0]}`?" if near else "",
        at=at,
    )
