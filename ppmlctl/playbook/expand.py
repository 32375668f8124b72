"""Tasks as written -> tasks as planned: conditions and loops decided, references between tasks turned into edges."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.expressions import OMIT
from ppmlctl.planning import Results, Task
from ppmlctl.playbook.entered import Condition, Entered, Entries, holds
from ppmlctl.playbook.evaluation import At, Evaluation, Scope, Unknowns, roots
from ppmlctl.playbook.faults import argument_faults, omitted_fault
from ppmlctl.playbook.shape import reserved
from ppmlctl.playbook.words import OMIT_NAME
from ppmlctl.playbook.written import Block, Playbook, WrittenOutputs, WrittenTask


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

    @property
    def tags(self) -> frozenset[str]:
        """Those of all tasks as they are written, whether they are there or not."""
        return frozenset().union(*(one.all_tags for one in self.declared[0].tasks))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the files declare; comments and places in the files play no part."""
        playbook, scope = self.declared
        text = json.dumps([[*map(_declared, playbook.tasks)], scope], separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _declared(one: WrittenTask) -> list[Any]:
    around = [[block.when, block.variables, block.needs] for block in one.blocks]
    own = [one.name, one.module, one.arguments, one.when, one.register, one.needs, one.loop, one.variables, one.protect]
    return [*own, around, sorted(one.all_tags)]


@dataclass(frozen=True)
class _Instance:
    """One task, or one turn of its loop."""

    written: WrittenTask
    position: int
    address: str
    entered: Entered

    @property
    def scope(self) -> Scope:
        return self.entered.scope


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
        self.entries = Entries(self.evaluation, scope, self.faults.append)
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
            raise InputError(*dict.fromkeys(self.faults))  # a block's is found once for each task in it
        return Expanded(tuple(tasks), tuple(outputs), (self.playbook, self.scope))

    def _instances(self, written: WrittenTask, position: int) -> Iterator[_Instance]:
        around = self.entries.into(written.within)
        if around is None:
            return
        for key, member in self._turns(written, around):
            turn = around if key is None else replace(around, scope={**around.scope, "item": member})
            entered = self.entries.further(turn, written)
            if entered is None:
                continue
            address = written.name if key is None else f"{written.name}.{key}"
            if key is not None and not (key and key.isprintable()):
                title, fix = "the key of a loop's member cannot be printed", "give the member a `name` of one line"
                found, why = json.dumps(key), "it is part of the task's address"
                self.faults.append(
                    Diagnostic("task-loop-key", title, found=found, why=why, fix=fix, at=written.at("loop"))
                )
                continue
            if address in self.by_name[written.name]:
                title, fix = "two members of a loop have the same key", "give each member a `name` of its own"
                at = written.at("loop")
                self.faults.append(Diagnostic("task-loop-key", title, found=f"`{key}`", fix=fix, at=at))
                continue
            self.by_name[written.name].append(address)
            if written.register:
                self.evaluation.register(written.register, key, address, position)
            yield _Instance(written, position, address, entered)

    def _turns(self, written: WrittenTask, around: Entered) -> Iterator[tuple[str | None, Any]]:
        if written.loop is None:
            yield None, None
            return
        if "item" not in roots([written.when, written.variables]) and self.entries.further(around, written) is None:
            return  # whatever it would go over
        at, scope = written.at("loop"), self.entries.with_variables(around.scope, written)
        if self.evaluation.depends_on_results(written.loop, scope):
            self.faults.append(_loop_fault(at, "its length depends on what another task gives"))
            return
        members = self._evaluated(written.loop, scope, written, "loop")
        if isinstance(members, Mapping):
            yield from ((str(key), member) for key, member in members.items())
        elif isinstance(members, list | tuple):
            yield from ((_key_of(member, index), member) for index, member in enumerate(members))
        elif members is OMIT:
            self.faults.append(omitted_fault(at))
        elif members is not None:
            self.faults.append(_loop_fault(at, f"it gives a {type(members).__name__}"))

    def _task(self, order: int, instance: _Instance) -> Task:
        written = instance.written
        evaluation = self.evaluation.seen_from(instance.position)
        conditions, scope = instance.entered.conditions, instance.scope
        sources = evaluation.sources(written.arguments, scope) | _read_by(conditions, evaluation)
        arguments = _Arguments(self, instance, evaluation)
        arguments.check()
        return Task(
            instance.address,
            written.module,
            order,
            arguments,
            sources=sources,
            needs=sources | self._needs(instance),
            condition=partial(holds, conditions, evaluation) if conditions else None,
            tags=written.all_tags,
            protect=written.protect,
            title=written.title,
            location=written.at(),
        )

    def _needs(self, instance: _Instance) -> set[str]:
        """Names of tasks, with all turns of their loops, or addresses of single turns; expressions may give lists."""
        found: set[str] = set()
        blocks = ((block, self.entries.into(block)) for block in instance.written.blocks)
        parts: list[tuple[WrittenTask | Block, Scope]] = [(instance.written, instance.scope)]
        parts += [(block, entered.scope) for block, entered in blocks if entered]
        for part, scope in parts:
            for index, need in enumerate(part.needs):
                found.update(self._needed(need, scope, part, index))
        return found

    def _needed(self, need: str, scope: Scope, part: WrittenTask | Block, index: int) -> Iterator[str]:
        value = self._evaluated(need, scope, part, "needs", index)
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, dict | list):
                self.faults.append(_unknown_need(f"a {type(name).__name__}", (), part.at("needs", index)))
            elif name in self.by_name:
                yield from self.by_name[name]
            elif name in self.addresses:
                yield name
            elif name is not None and name is not OMIT:
                self.faults.append(_unknown_need(str(name), self.by_name, part.at("needs", index)))

    def _outputs(self, written: WrittenOutputs) -> Iterator[Output]:
        around = self.entries.into(written.within)
        entered = around and self.entries.further(around, written)
        if entered is None:
            return
        for name, value in written.values.items():
            sources = self.evaluation.sources(value, entered.scope) | _read_by(entered.conditions, self.evaluation)
            evaluate = partial(self._output, entered, value, partial(written.at, "outputs", name))
            yield Output(name, sources, evaluate)

    def _output(self, entered: Entered, value: Any, at: At, results: Results) -> Any:
        if holds(entered.conditions, self.evaluation, results) is False:
            return None
        given = self.evaluation.evaluate(value, entered.scope, results, at)
        return None if given is OMIT else given

    def _evaluated(self, value: Any, scope: Scope, written: WrittenTask | Block, *path: str | int) -> Any:
        try:
            return self.evaluation.evaluate(value, scope, {}, partial(written.at, *path))
        except InputError as error:
            self.faults.extend(error.diagnostics)
            return None


def _read_by(conditions: tuple[Condition, ...], evaluation: Evaluation) -> frozenset[str]:
    return frozenset().union(*(evaluation.sources(one.when, one.scope) for one in conditions))


class _Arguments:
    """A task's arguments as a function of the results. Arguments without references are made once."""

    def __init__(self, expansion: _Expansion, instance: _Instance, evaluation: Evaluation) -> None:
        self._expansion = expansion
        self._instance = instance
        self._evaluation = evaluation
        self._constant = not evaluation.depends_on_results(instance.written.arguments, instance.scope)
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
        given = {name: self._value(name, member, results) for name, member in written.arguments.items()}
        values = {name: value for name, value in given.items() if value is not OMIT}
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
    first = {task.register: task for task in reversed(playbook.tasks) if task.register}
    if OMIT_NAME in scope:
        yield reserved(declared_at(OMIT_NAME) if declared_at else None)
    for name, task in first.items():
        if name in scope:
            at = declared_at(name) if declared_at else task.at("register")
            yield _hides(name, task, at)


def _hides(name: str, task: WrittenTask, at: Location) -> Diagnostic:
    return Diagnostic(
        "variable-hides-result",
        "a variable has the name under which a task registers its result",
        found=f"`{name}` is declared under `vars` and registered by task `{task.name}`",
        fix="give the variable another name",
        at=at,
    )


def _unknown_need(name: str, names: Collection[str], at: Location) -> Diagnostic:
    near = difflib.get_close_matches(name, names, n=1)
    return Diagnostic(
        "task-need-unknown",
        "a task needs a task that does not exist",
        found=f"`{name}`",
        fix=f"did you mean `{near[0]}`?" if near else "",
        at=at,
    )
