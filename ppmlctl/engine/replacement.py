"""What is taken away because somebody named it (`--replace`), and what goes with what a plan takes away."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules.base import Module
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Plan, PlannedAction, Recorded, Removal


def check_named(
    names: Iterable[str], recorded: Mapping[str, Recorded], modules: Mapping[str, Module[Any, Any]]
) -> frozenset[str]:
    """The addresses to take away. Raises InputError for those that nothing is recorded of, or nothing can replace."""
    named = frozenset(names)
    known = [
        address for address, entry in recorded.items() if entry.module in modules and modules[entry.module].may_be_named
    ]
    if unknown := sorted(named.difference(known)):
        raise InputError(*(_unknown(name, known) for name in unknown))
    return named


def with_company(
    plan: Plan, modules: Mapping[str, Module[Any, Any]], context: Context, recorded: Mapping[str, Recorded]
) -> Plan:
    """The plan that says what goes with the things it takes away."""
    actions = tuple(
        replace(action, reasons=(*action.reasons, *_company(action, modules, context, recorded)))
        for action in plan.actions
    )
    return replace(plan, actions=actions)


def _company(
    action: PlannedAction, modules: Mapping[str, Module[Any, Any]], context: Context, recorded: Mapping[str, Recorded]
) -> Iterator[str]:
    entry = recorded.get(action.address)
    deletes = action.action is ActionKind.DELETE and action.removal is Removal.DELETE
    if entry is not None and entry.module in modules and (deletes or action.action is ActionKind.REPLACE):
        yield from (f"with it goes {what}" for what in modules[entry.module].goes_with(context, entry))


def _unknown(name: str, known: list[str]) -> Diagnostic:
    near = difflib.get_close_matches(name, known, 1)
    return Diagnostic(
        "replace-unknown",
        "nothing of this name can be replaced",
        found=name,
        why="an object of the cluster is replaced by its task's address, once it was applied",
        fix=f"did you mean `{near[0]}`?" if near else f"name one of: {', '.join(sorted(known)) or 'nothing yet'}",
    )
