"""tasks + observations + lockfile -> plan. Pure: no I/O, no clients, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.planning.diff import drift
from ppmlctl.planning.graph import in_order, sorted_by_needs
from ppmlctl.planning.model import (
    ABSENT,
    ActionKind,
    Change,
    FieldChange,
    Observed,
    Plan,
    PlannedAction,
    Recorded,
    Removal,
    Selection,
    Wanted,
)
from ppmlctl.planning.protections import dropped
from ppmlctl.planning.selection import check_held
from ppmlctl.planning.task import Declaration, Task
from ppmlctl.unknown import Unknown, unknowns_in

Digest = Callable[[bytes], str | None]
"""Keyed digest of a secret value; None while the vault is locked."""


@dataclass
class Planner:
    """Decides task by task, in order; what a task would give is what those behind it see. See `make_plan`."""

    declarations: Mapping[str, Declaration]
    observations: Mapping[str, Observed]
    recorded: Mapping[str, Recorded]
    digest: Digest
    rotating: frozenset[str] = frozenset()
    """Addresses whose things are made anew though they are there."""
    named: frozenset[str] = frozenset()
    """Addresses whose things somebody named to be taken away, whatever they hold."""
    selection: Selection = field(default_factory=Selection)
    """What the plan is about; all else stays."""
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Addresses whose things stay where they are, since nobody may be asked to take them away; with why that is."""
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    acting: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)

    def plan(self, tasks: Sequence[Task]) -> Plan:
        """The whole plan: removals first, in reverse of their recorded edges, then the tasks in order."""
        ordered = in_order(tasks)
        actions = [action for task in ordered if (action := self._decide(task)) is not None]
        kept = {action.address for action in actions}
        check_held(self.selection, actions)
        removals = [] if self.selection.restricts else self._removals({*kept, *self.selection.left_out})
        for action in removals:
            if actions and action.module in self.declarations:
                declaration = self.declarations[action.module]
                self.warnings.extend(dropped(action.address, declaration, self.recorded[action.address], None))
        notes = tuple(dict.fromkeys(self.notes))
        return Plan(
            (*removals, *actions),
            dict(self.wanted),
            dict(self.observations),
            notes,
            tuple(self.warnings),
            self.selection,
        )

    def _decide(self, task: Task) -> PlannedAction | None:
        declaration = self.declarations[task.module]
        condition = True if task.condition is None else task.condition(self.results)
        if condition is False:
            return None
        wanted = self._want(task, declaration)
        observed = self.observations.get(task.address, ABSENT)
        recorded = self.recorded.get(task.address)
        if recorded is not None:
            check_module(task, recorded)
        unknown = isinstance(condition, Unknown) or any(unknowns_in(wanted.inputs))
        rotates = recorded is not None and task.address in self.rotating
        named = recorded is not None and task.address in self.named
        if recorded is not None and (named or rotates):
            change = _replacement(wanted, observed) if named else declaration.rotation(wanted, recorded)
            observed = replace(observed, foreseen={})
        elif unknown and (recorded is not None or isinstance(condition, Unknown)):
            change = Change(ActionKind.UPDATE, (), tuple(_unknown_fields(wanted.inputs, recorded)))
        elif unknown:
            reason = "adopts what is there already" if observed.exists else "unknown until apply"
            change = Change(ActionKind.CREATE, (reason,), tuple(_new_fields(wanted.inputs)))
        else:
            change = declaration.diff(wanted, observed, recorded)
        conditional = unknown and change.action is ActionKind.UPDATE and not (rotates or named)
        if recorded is not None and recorded.moved_from:
            change = replace(change, reasons=(f"moved from {recorded.moved_from}", *change.reasons))
        if unknown:
            observed = replace(observed, foreseen={})  # it was made for what was recorded
        self._foresee(task, declaration, change, observed, recorded)
        self.notes.extend((*declaration.notes(wanted.args), *observed.notes, *_findings(task, change, observed)))
        self.warnings.extend(dropped(task.address, declaration, recorded, wanted.inputs))
        because = tuple(sorted(task.sources & self.acting)) if conditional else ()
        if declaration.is_workload and change.action in {ActionKind.CREATE, ActionKind.UPDATE, ActionKind.REPLACE}:
            change = replace(change, action=ActionKind.RUN)
        action = _action(task, change, recorded, because, conditional=conditional)
        action = replace(action, rotates=rotates, named=named)
        if recorded is None or change.action is ActionKind.KEEP:
            return action
        return replace(action, outcome=tuple(drift(observed.foreseen, recorded.result)))

    def _want(self, task: Task, declaration: Declaration) -> Wanted:
        args = task.arguments(self.results)
        wanted = Wanted(task.address, args, declaration.fingerprint(args, self.digest))
        self.wanted[task.address] = wanted
        return wanted

    def _foresee(
        self, task: Task, declaration: Declaration, change: Change, observed: Observed, recorded: Recorded | None
    ) -> None:
        """What those behind this task see of it: its recorded result if it is kept, else what can be foreseen."""
        if change.action is ActionKind.KEEP and recorded is not None:
            self.results[task.address] = declaration.kept_result(self.wanted[task.address].args, recorded)
            return
        self.acting.add(task.address)
        unknown = {name: Unknown(task.address) for name in declaration.result_fields()}
        self.results[task.address] = {**unknown, **observed.foreseen}

    def _removals(self, wanted: set[str]) -> list[PlannedAction]:
        gone = {address: entry for address, entry in self.recorded.items() if address not in wanted}
        protected = [address for address, entry in gone.items() if entry.protect]
        if protected:
            raise _protected_error(protected)
        dependents: dict[str, set[str]] = {address: set() for address in gone}
        for address, entry in gone.items():
            for need in entry.needs:
                if need in dependents:
                    dependents[need].add(address)
        order = sorted_by_needs(dependents, dict.fromkeys(gone, 0))
        return [self._removal(address, gone[address], dependents[address]) for address in order]

    def _removal(self, address: str, entry: Recorded, dependents: Iterable[str]) -> PlannedAction:
        declaration = self.declarations.get(entry.module)
        removal = declaration.removal_of(entry) if declaration else Removal.IMPOSSIBLE
        if removal is Removal.DELETE and entry.result.get("existed_before"):
            removal = Removal.KEEP
        if removal is Removal.DELETE and address in self.unasked:
            removal = Removal.IMPOSSIBLE
        reason, named = removal_reason(removal), removal in {Removal.DELETE, Removal.KEEP} and address in self.named
        if named and not entry.result.get("existed_before"):
            removal, reason = Removal.DELETE, "its removal is asked for"
        if address in self.unasked:
            reason = f"{reason}: {self.unasked[address]}"
        return PlannedAction(
            address,
            entry.module,
            ActionKind.DELETE,
            (reason,),
            named=named,
            needs=tuple(sorted(dependents)),
            removal=removal,
            evidence=entry.evidence,
        )


def make_plan(
    tasks: Sequence[Task],
    declarations: Mapping[str, Declaration],
    observations: Mapping[str, Observed],
    recorded: Mapping[str, Recorded],
    digest: Digest = lambda _: None,
) -> Plan:
    """The plan for `tasks`. Raises InputError for a cycle and StateError where a protected thing would be removed."""
    return Planner(declarations, observations, recorded, digest).plan(tasks)


def _action(
    task: Task, change: Change, recorded: Recorded | None, because: tuple[str, ...], *, conditional: bool
) -> PlannedAction:
    return PlannedAction(
        task.address,
        task.module,
        change.action,
        (*change.reasons, f"if {', '.join(because)} changes") if because else change.reasons,
        change.fields,
        conditional=conditional,
        because_of=because,
        needs=tuple(sorted(task.needs)),
        evidence=recorded.evidence if recorded else None,
        title=task.title,
    )


def _findings(task: Task, change: Change, observed: Observed) -> Iterable[str]:
    """What carrying the change out warns of."""
    return () if change.action is ActionKind.KEEP else (f"{task.address}: {one}" for one in observed.findings)


def _replacement(wanted: Wanted, observed: Observed) -> Change:
    if not observed.exists:
        return Change(ActionKind.CREATE, ("its replacement is asked for",), tuple(_new_fields(wanted.inputs)))
    return Change(ActionKind.REPLACE, ("its replacement is asked for",))


def _unknown_fields(inputs: Mapping[str, Any], recorded: Recorded | None) -> Iterable[FieldChange]:
    before = recorded.inputs if recorded else {}
    for name, value in inputs.items():
        if any(unknowns_in(value)):
            yield FieldChange(name, before.get(name), value)


def _new_fields(inputs: Mapping[str, Any]) -> Iterable[FieldChange]:
    for name, value in inputs.items():
        if value is not None:
            yield FieldChange(name, None, value)


def removal_reason(removal: Removal) -> str:
    """Why a thing goes, and what becomes of it."""
    return {
        Removal.DELETE: "no task wants it any more",
        Removal.KEEP: "no task wants it any more; kept, only the record goes",
        Removal.IMPOSSIBLE: "no task wants it any more; cannot be removed, left behind",
        Removal.ALONG: "no task wants it any more; it goes with what it lives in",
    }[removal]


def check_module(task: Task, recorded: Recorded) -> None:
    """Raises StateError (task-module-changed) where a task is of another module than its record."""
    if recorded.module == task.module:
        return
    raise StateError(
        Diagnostic(
            "task-module-changed",
            "a task has another module than when it was applied",
            found=f"{task.address} was made by {recorded.module}, and is a {task.module} now",
            why="what was made by the one cannot be compared with what the other wants",
            fix="give the new task a name of its own; the old thing is then removed",
            at=task.location,
        )
    )


def _protected_error(addresses: Sequence[str]) -> StateError:
    return StateError(
        Diagnostic(
            "task-protected",
            "a protected thing would be removed",
            found=", ".join(sorted(addresses)),
            why="its task says `protect: true`",
            fix="keep its task, or apply once with `protect: false` before removing it",
        )
    )
