"""Going into files, blocks and tasks: what is known inside, and whether anything there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.planning import Results
from ppmlctl.playbook.evaluation import At, Evaluation, Scope
from ppmlctl.playbook.written import Block
from ppmlctl.unknown import Unknown


class Part(Protocol):
    """A block, a task or an entry of outputs."""

    @property
    def when(self) -> Any: ...
    @property
    def variables(self) -> Mapping[str, Any]: ...
    def at(self, *path: str | int) -> Location: ...


@dataclass(frozen=True)
class Condition:
    """One that only results decide, and where it stands."""

    when: Any
    scope: Scope
    at: At


@dataclass(frozen=True)
class Entered:
    """What is known inside of a part, and the conditions of it and of all around it that results decide."""

    scope: Scope
    conditions: tuple[Condition, ...] = ()


class Entries:
    """Goes into parts; each block once. `tell` takes what is wrong."""

    def __init__(self, evaluation: Evaluation, scope: Scope, tell: Callable[[Diagnostic], None]) -> None:
        self._evaluation = evaluation
        self._outside = Entered(scope)
        self._tell = tell
        self._blocks: dict[Block, Entered | None] = {}

    def into(self, block: Block | None) -> Entered | None:
        """Inside of a block and all around it; None where a condition says that nothing in it is there."""
        if block is None:
            return self._outside
        if block not in self._blocks:
            around = self.into(block.within)
            self._blocks[block] = None if around is None else self.further(around, block)
        return self._blocks[block]

    def further(self, around: Entered, part: Part) -> Entered | None:
        """Inside of a part, from around it. Its condition may use its variables."""
        scope = self.with_variables(around.scope, part)
        conditions = list(around.conditions)
        for when, at in _conditions(part):
            if self._evaluation.depends_on_results(when, scope):
                conditions.append(Condition(when, scope, at))
            elif not self._is_true(when, scope, at):
                return None
        return Entered(scope, tuple(conditions))

    def with_variables(self, around: Scope, part: Part) -> Scope:
        """The scope with the variables of a part; each may use those before it."""
        scope = dict(around)
        for name, template in part.variables.items():
            scope[name] = self._evaluation.variable(template, dict(scope), partial(part.at, "vars", name))
        return scope

    def _is_true(self, when: Any, scope: Scope, at: At) -> bool:
        try:
            return bool(self._evaluation.needed(when, scope, {}, at))
        except InputError as error:
            for diagnostic in error.diagnostics:
                self._tell(diagnostic)
            return False


def holds(conditions: tuple[Condition, ...], evaluation: Evaluation, results: Results) -> bool | Unknown:
    """Whether all conditions hold, from the outermost on; the Unknown that keeps one of them from being decided."""
    for one in conditions:
        value = evaluation.needed(one.when, one.scope, results, one.at)
        if isinstance(value, Unknown):
            return value
        if not value:
            return False
    return True


def _conditions(part: Part) -> list[tuple[Any, At]]:
    if part.when is None:
        return []
    if isinstance(part.when, list):
        return [(one, partial(part.at, "when", index)) for index, one in enumerate(part.when)]
    return [(part.when, partial(part.at, "when"))]
