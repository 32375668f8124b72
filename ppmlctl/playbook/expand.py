"""Tasks as written -> tasks as planned: conditions and loops decided, references between tasks turned into edges."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.planning import Results, Task
from ppmlctl.playbook.evaluation import At, Evaluation, Later, Scope, Unknowns
from ppmlctl.playbook.faults import argument_faults
from ppmlctl.playbook.parse import Playbook, WrittenOutputs, WrittenTask
from ppmlctl.unknown import Unknown


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
    declared: tuple[Playbook, Scope] = (Playbook((), ()), {})
    """What they are expanded from."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the files declare; comments and places in the files play no part."""
        playbook, scope = self.declared
        written = [
            [
                one.name,
                one.module,
                one.arguments,
                one.when,
                one.register,
                one.needs,
                one.loop,
                one.variables,
                one.protect,
            ]
            for one in playbook.tasks
        ]
        text = json.dumps([written, scope], separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class _Instance:
    """One task, or one turn of its loop."""

    written: WrittenTask
    position: int
    address: str
    scope: Scope


def expand(
    playbook: Playbook,
    scope: Scope,
    modules: Mapping[str, ModuleDeclaration],
    declared_at: Callable[[str], Location] | None = None,
) -> Expanded:
    """Evaluates what can be evaluated without results. Raises InputError with every fault found.

    `declared_at`: where the user declares a variable; what hides a result is told there.
    """
    hidden = list(_shadowed(playbook, scope, declared_at))
    if hidden:
        raise InputError(*hidden)
    return _Expansion(playbook, scope, modules).run()


class _Expansion:
    def __init__(self, playbook: Playbook, scope: Scope, modules: Mapping[str, ModuleDeclaration]) -> None:
        self.playbook = playbook
        self.scope = scope
        self.modules = modules
        self.faults: list[Diagnostic] = []
        self.evaluation = Evaluation(frozenset(task.register for task in playbook.tasks if task.register))
        self.by_name: dict[str, list[str]] = {task.name: [] for task in playbook.tasks}
        self.addresses: set[str] = set()
        self.unknowns: Results = {}

    def run(self) -> Expanded:
        written = enumerate(self.playbook.tasks)
        instances = [instance for position, task in written for instance in self._instances(task, position)]
        self.addresses = {instance.address for instance in instances}
        self.unknowns = Unknowns(self.evaluation.addresses())
        tasks = [self._task(order, instance) for order, instance in enumerate(instances)]
        outputs = [output for one in self.playbook.outputs for output in self._outputs(one)]
        if self.faults:
            raise InputError(*self.faults)
        return Expanded(tuple(tasks), tuple(outputs), (self.playbook, self.scope))

    def _instances(self, written: WrittenTask, position: int) -> Iterator[_Instance]:
        scope = self._with_variables(written)
        for key, member in self._turns(written, scope):
            turn = scope if key is None else {**scope, "item": member}
            if not self.evaluation.depends_on_results(written.when, turn) and not self._holds(written, turn):
                continue
            address = written.name if key is None else f"{written.name}.{key}"
            if address in self.by_name[written.name]:
                title, fix = "two members of a loop have the same key", "give each member a `name` of its own"
                at = written.at("loop")
                self.faults.append(Diagnostic("task-loop-key", title, found=f"`{key}`", fix=fix, at=at))
                continue
            self.by_name[written.name].append(address)
            if written.register:
                self.evaluation.register(written.register, key, address, position)
            yield _Instance(written, position, address, turn)

    def _with_variables(self, written: WrittenTask) -> Scope:
        scope = dict(self.scope)
        for name, value in written.variables.items():
            later = self.evaluation.depends_on_results(value, scope)
            scope[name] = Later(value, dict(scope)) if later else self._evaluated(value, scope, written, "vars", name)
        return scope

    def _turns(self, written: WrittenTask, scope: Scope) -> Iterator[tuple[str | None, Any]]:
        if written.loop is None:
            yield None, None
            return
        at = written.at("loop")
        if self.evaluation.depends_on_results(written.loop, scope):
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
        evaluation = self.evaluation.seen_from(instance.position)
        sources = evaluation.sources([written.arguments, written.when, written.variables])
        arguments = _Arguments(self, instance, evaluation)
        arguments.check()
        return Task(
            instance.address,
            written.module,
            order,
            arguments,
            sources=sources,
            needs=sources | self._needs(instance),
            condition=_condition(instance, evaluation),
            tags=frozenset(written.tags),
            protect=written.protect,
            title=written.title,
            location=written.at(),
        )

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

    def _outputs(self, written: WrittenOutputs) -> Iterator[Output]:
        if not self._holds(written, self.scope):
            return
        for name, value in written.values.items():
            evaluate = partial(self._output, value, partial(written.at, "outputs", name))
            yield Output(name, self.evaluation.sources(value), evaluate)

    def _output(self, value: Any, at: At, results: Results) -> Any:
        return self.evaluation.evaluate(value, self.scope, results, at)

    def _holds(self, written: WrittenTask | WrittenOutputs, scope: Scope) -> bool:
        if written.when is None:
            return True
        try:
            return bool(self.evaluation.evaluate(written.when, scope, {}, partial(written.at, "when")))
        except InputError as error:
            self.faults.extend(error.diagnostics)
            return False

    def _evaluated(self, value: Any, scope: Scope, written: WrittenTask, *path: str | int) -> Any:
        try:
            return self.evaluation.evaluate(value, scope, {}, partial(written.at, *path))
        except InputError as error:
            self.faults.extend(error.diagnostics)
            return None


def _condition(instance: _Instance, evaluation: Evaluation) -> Callable[[Results], bool | Unknown] | None:
    when = instance.written.when
    if not evaluation.depends_on_results(when, instance.scope):
        return None

    def condition(results: Results) -> bool | Unknown:
        value = evaluation.evaluate(when, instance.scope, results, partial(instance.written.at, "when"))
        return value if isinstance(value, Unknown) else bool(value)

    return condition


class _Arguments:
    """A task's arguments as a function of the results. Arguments without references are made once."""

    def __init__(self, expansion: _Expansion, instance: _Instance, evaluation: Evaluation) -> None:
        self._expansion = expansion
        self._instance = instance
        self._evaluation = evaluation
        written = instance.written
        self._constant = not evaluation.depends_on_results([written.arguments, written.variables])
        self._made: BaseModel | None = None

    def check(self) -> None:
        """Finds the faults that show without any result: wrong names and types, undefined variables."""
        try:
            self(self._expansion.unknowns)
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
        at = partial(written.at, written.module, name)
        return self._evaluation.evaluate(member, self._instance.scope, results, at)


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


def _shadowed(playbook: Playbook, scope: Scope, declared_at: Callable[[str], Location] | None) -> Iterator[Diagnostic]:
    """A variable of the user's that hides a result would change what shipped tasks mean. Each is told once."""
    first = {task.register: task for task in reversed(playbook.tasks)}
    for name, task in first.items():
        if name and name in scope:
            yield Diagnostic(
                "variable-hides-result",
                "a variable has the name under which a task registers its result",
                found=f"`{name}` is declared under `vars` and registered by task `{task.name}`",
                fix="give the variable another name",
                at=declared_at(name) if declared_at else task.at("register"),
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
