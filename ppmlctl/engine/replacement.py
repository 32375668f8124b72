"""What is taken away because somebody named it (`--replace`), and what goes with what a plan takes away."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules.base import Module
from ppmlctl.modules.context import Context
from ppmlctl.planning import Plan, Recorded, with_company
from ppmlctl.planning.removals import Dwelling

_AT_ONCE = 8


def check_named(
    names: Iterable[str], recorded: Mapping[str, Recorded], modules: Mapping[str, Module[Any, Any]]
) -> frozenset[str]:
    """The addresses to take away. Raises InputError for those that nothing is recorded of, or nothing can replace, and
    for what was there before.
    """
    named = frozenset(names)
    known = [
        address for address, entry in recorded.items() if entry.module in modules and modules[entry.module].may_be_named
    ]
    if unknown := sorted(named.difference(known)):
        raise InputError(*(_unknown(name, known) for name in unknown))
    if not_ours := sorted(name for name in named if recorded[name].result.get("existed_before")):
        raise InputError(*(_not_ours(name) for name in not_ours))
    return named


def accompanied(
    plan: Plan,
    modules: Mapping[str, Module[Any, Any]],
    context: Context,
    recorded: Mapping[str, Recorded],
    *,
    destroying: bool,
) -> Plan:
    """The plan that says what goes with the things it takes away, and leaves what is not its own to take."""
    known = {address: entry for address, entry in recorded.items() if entry.module in modules}
    going = [one.address for one in plan.actions if one.takes_away and one.address in known]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="company") as pool:
        found = pool.map(lambda one: modules[known[one].module].goes_with(context, known[one]), going)
        company = dict(zip(going, found, strict=True))
    dwellings = {address: _dwelling(modules[entry.module], entry) for address, entry in known.items()}
    return with_company(plan, company, dwellings, destroying=destroying)


def _dwelling(module: Module[Any, Any], entry: Recorded) -> Dwelling:
    return Dwelling(module.recorded_identity(entry), module.lives_in(entry))


def _not_ours(name: str) -> Diagnostic:
    return Diagnostic(
        "replace-not-ours",
        "what was there before is not replaced",
        found=name,
        why="ppmlctl takes away only what it made",
        fix="delete the object yourself; the next apply makes it",
    )


def _unknown(name: str, known: list[str]) -> Diagnostic:
    near = difflib.get_close_matches(name, known, 1)
    return Diagnostic(
        "replace-unknown",
        "nothing of this name can be replaced",
        found=name,
        why="an object of the cluster is replaced by its task's address, once it was applied",
        fix=f"did you mean `{near[0]}`?" if near else f"name one of: {', '.join(sorted(known)) or 'nothing yet'}",
    )
