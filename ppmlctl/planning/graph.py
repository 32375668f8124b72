"""Order: every task after those it needs, ties by the user's order, so that the same tasks give the same plan."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.planning.task import Task


def in_order(tasks: Sequence[Task]) -> list[Task]:
    """The tasks sorted by their needs, then by the user's order. Raises InputError with the members of a cycle."""
    by_address = {task.address: task for task in tasks}
    edges = {task.address: task.needs & by_address.keys() for task in tasks}
    order = sorted_by_needs(edges, {task.address: task.order for task in tasks})
    if len(order) < len(tasks):
        raise _cycle_error(by_address, edges, set(by_address) - set(order))
    return [by_address[address] for address in order]


def sorted_by_needs(edges: Mapping[str, Iterable[str]], rank: Mapping[str, int]) -> list[str]:
    """Kahn's algorithm with a heap: needed ones first, then by (rank, address). Members of cycles are left out."""
    missing = {address: set(needs) for address, needs in edges.items()}
    dependents: dict[str, list[str]] = {}
    for address, needs in missing.items():
        for need in needs:
            dependents.setdefault(need, []).append(address)
    ready = [(rank.get(address, 0), address) for address, needs in missing.items() if not needs]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, address = heapq.heappop(ready)
        order.append(address)
        for dependent in dependents.get(address, ()):
            missing[dependent].discard(address)
            if not missing[dependent]:
                heapq.heappush(ready, (rank.get(dependent, 0), dependent))
    return order


def _cycle_error(tasks: Mapping[str, Task], edges: Mapping[str, Iterable[str]], stuck: set[str]) -> InputError:
    cycle = _one_cycle(edges, stuck)
    return InputError(
        Diagnostic(
            "task-cycle",
            "tasks need each other in a circle",
            found=" → ".join([*cycle, cycle[0]]),
            why="none of them can be first",
            fix="remove one of these needs or references",
            at=tasks[cycle[0]].location,
        )
    )


def _one_cycle(edges: Mapping[str, Iterable[str]], stuck: set[str]) -> list[str]:
    """Follows needs among the stuck ones until one comes up again; the cycle starts at its smallest address."""
    path: list[str] = []
    address = min(stuck)
    while address not in path:
        path.append(address)
        address = min(need for need in edges[address] if need in stuck)
    cycle = path[path.index(address) :]
    smallest = cycle.index(min(cycle))
    return cycle[smallest:] + cycle[:smallest]
