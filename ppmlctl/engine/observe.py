"""Looks at everything the tasks want, once per kind and in parallel, before anything is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ppmlctl.modules.base import Module
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed, Plan, Recorded, Task, Wanted, in_order
from ppmlctl.unknown import Unknown, unknowns_in


def observe(
    wanted: Sequence[tuple[Wanted, str]], modules: Mapping[str, Module[Any, Any]], context: Context
) -> dict[str, Observed]:
    """What is there, by address, for what each module (named beside it) is wanted to make."""
    by_kind: dict[str, list[Wanted]] = {}
    for one, kind in wanted:
        by_kind.setdefault(kind, []).append(one)
    found: dict[str, Observed] = {}
    with ThreadPoolExecutor(max(1, min(8, len(by_kind))), thread_name_prefix="observe") as pool:
        for observed in pool.map(lambda item: modules[item[0]].observe(context, item[1]), by_kind.items()):
            found.update(observed)
    return found


def as_recorded(
    tasks: Sequence[Task],
    modules: Mapping[str, Module[Any, Any]],
    recorded: Mapping[str, Recorded],
    digest: Callable[[bytes], str | None],
) -> list[tuple[Wanted, str]]:
    """What each task wants if every task with a record is kept.

    A task whose arguments turn out to be others is looked at again when it is its turn.
    """
    results: dict[str, Mapping[str, Any]] = {}
    wanted: list[tuple[Wanted, str]] = []
    for task in in_order(tasks):
        module = modules[task.module]
        entry = recorded.get(task.address)
        unknown = {name: Unknown(task.address) for name in module.result_fields()}
        results[task.address] = {**unknown, **entry.result} if entry else unknown
        if task.condition is not None and task.condition(results) is False:
            continue
        args = task.arguments(results)
        if entry and entry.module == task.module:
            results[task.address] = {**unknown, **module.kept_result(args, entry)}
        wanted.append((Wanted(task.address, args, module.fingerprint(args, digest)), task.module))
    return wanted


def settled(
    looked_for: Sequence[tuple[Wanted, str]],
    modules: Mapping[str, Module[Any, Any]],
    context: Context,
    decide: Callable[[Mapping[str, Observed]], Plan],
) -> Plan:
    """The plan whose every observation was made for what its task wants.

    Tasks were looked at as recorded. Where one will give another result, and it can be foreseen, those behind it want
    something else: they are looked at again, until nothing changes (at most once for each task in a chain).
    """
    made_for = {one.address: (one, kind) for one, kind in looked_for}
    found = observe(looked_for, modules, context)
    while True:
        plan = decide(found)
        others = [
            (one, made_for[address][1])
            for address, one in plan.wanted.items()
            if address in made_for and one.inputs != made_for[address][0].inputs and not any(unknowns_in(one.inputs))
        ]
        if not others:
            return plan
        stale = {one.address for one, _ in others}
        kept = {address: observed for address, observed in found.items() if address not in stale}
        found = {**kept, **observe(others, modules, context)}
        made_for |= {one.address: (one, kind) for one, kind in others}
