"""A thing is declared by one task: two would undo each other's work at every apply, and never come to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules.base import Module
from ppmlctl.planning import Plan, Task


def check_one_task_each(tasks: Sequence[Task], plan: Plan, modules: Mapping[str, Module[Any, Any]]) -> None:
    """Raises InputError at each task that wants what another wants already.

    Of tasks whose condition is not known before apply at most one may hold, so they are passed over.
    """
    undecided = {action.address for action in plan.actions if action.conditional}
    owners: dict[tuple[str | None, str], Task] = {}
    faults = []
    for task in tasks:
        module = modules[task.module]
        if task.address not in plan.wanted or (task.condition is not None and task.address in undecided):
            continue
        identity = module.identity(plan.wanted[task.address].args)
        if identity is None:
            continue
        owner = owners.setdefault((module.engine, identity), task)
        if owner is not task:
            faults.append(_fault(task, owner, identity))
    if faults:
        raise InputError(*faults)


def _fault(task: Task, owner: Task, identity: str) -> Diagnostic:
    return Diagnostic(
        "declared-twice",
        "two tasks declare the same thing",
        found=f"{owner.address} and {task.address}: {identity}",
        why="each would undo the other's work, at every apply",
        fix="declare it in one of them, or give one another name",
        at=task.location,
    )
