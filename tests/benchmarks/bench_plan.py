"""Graph and difference of 10 to 10,000 parsed tasks, beside graphlib over the same graph in the same run.

Each task reads the results of two earlier ones and needs a third; everything is recorded and there, one task in a
hundred has changed. Measured from the parsed playbook to the plan. Targets: linear, and for 10,000 tasks at most 5 s
and 300 MiB. Parsing is shown as information.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ppmlctl.expressions import parse as parse_expression
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.planning import Observed, Plan, Recorded, make_plan
from ppmlctl.playbook import Playbook, expand, parse

SIZES = (10, 100, 1_000, 10_000)
SECONDS, MEBIBYTES = 5.0, 300.0


class Args(ModuleArgs):
    name: str
    size: int = 1
    labels: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    first: str = ""
    second: str = ""


class Result(ModuleResult):
    path: str
    digest: str


class Thing(Module[Args, Result]):
    """A kind of thing that has no effects."""

    kind = "thing"
    Args = Args
    Result = Result


MODULES: Mapping[str, Any] = {"thing": Thing()}
SCOPE = {"env": {"namespace": "ppml", "size": 3}}


def playbook_text(size: int) -> str:
    """A playbook of `size` tasks; each reads tasks a few and many places before it."""
    return "".join(_task_text(number) for number in range(size))


def _task_text(number: int) -> str:
    lines = [f"- name: task-{number}", "  thing:", f"    name: thing-{number}", '    size: "{{ env.size }}"']
    lines += ['    labels: {app: ppml, part: "{{ env.namespace }}"}']
    if number:
        lines += [f'    first: "{{{{ task_{number - 1 - number % 7 if number > 7 else 0}.path }}}}"']
        lines += [f'    second: "at {{{{ task_{number // 2}.digest }}}}"']
        lines += [f"  needs: [task-{number // 3}]"]
    return "\n".join([*lines, f"  register: task_{number}", ""])


def parsed(size: int, folder: Path) -> Playbook:
    """The playbook as it stands in a file."""
    path = folder / f"{size}.yaml"
    path.write_text(playbook_text(size))
    return parse({path: path.name}, tuple(MODULES))


def plan_of(playbook: Playbook, recorded: Mapping[str, Recorded], observed: Mapping[str, Observed]) -> Plan:
    """What is measured; expressions are parsed anew, as in a process of its own."""
    parse_expression.cache_clear()
    return make_plan(expand(playbook, SCOPE, MODULES).tasks, MODULES, observed, recorded)


def world(playbook: Playbook) -> tuple[dict[str, Recorded], dict[str, Observed]]:
    """The lockfile and the observations after an apply, but for one changed task in a hundred."""
    tasks = expand(playbook, SCOPE, MODULES).tasks
    results = {task.address: {"path": f"p/{task.address}", "digest": "sha256:" + "0" * 64} for task in tasks}
    recorded = {}
    for task in tasks:
        inputs = Thing().fingerprint(task.arguments(results), lambda _: None)
        recorded[task.address] = Recorded("thing", inputs, results[task.address], tuple(sorted(task.needs)))
    for task in tasks[50::100]:
        entry = recorded[task.address]
        recorded[task.address] = replace(entry, inputs={**entry.inputs, "size": 2})
    return recorded, {address: Observed(fields=entry.result) for address, entry in recorded.items()}


@dataclass(frozen=True)
class Measured:
    """One size. Times in seconds, memory in MiB at its peak."""

    size: int
    parsing: float
    planning: float
    peak: float
    peer: float


def measure(size: int, folder: Path) -> Measured:
    """One size, in a process of its own where the caller wants figures that do not depend on the order."""
    started = time.perf_counter()
    playbook = parsed(size, folder)
    parsing = time.perf_counter() - started
    recorded, observed = world(playbook)
    planning = _best(lambda: plan_of(playbook, recorded, observed), 3)
    edges = {address: entry.needs for address, entry in recorded.items()}
    peer = _best(lambda: list(TopologicalSorter(edges).static_order()), 3)
    tracemalloc.start()
    plan_of(playbook, recorded, observed)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return Measured(size, parsing, planning, peak, peer)


def _best(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        gc.collect()
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints one line for each size; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=list(SIZES))
    sizes = parser.parse_args(arguments).sizes
    print("    tasks    plan s   ms/task  peak MiB   graphlib s   times graphlib   parse s")
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(size, Path(folder)) for size in sizes]
    for one in found:
        print(
            f"{one.size:>9,} {one.planning:>9.3f} {one.planning / one.size * 1000:>9.3f} {one.peak:>9.1f}"
            f" {one.peer:>12.4f} {one.planning / one.peer:>16.1f} {one.parsing:>9.2f}"
        )
    return int(any(one.planning > SECONDS or one.peak > MEBIBYTES for one in found))


if __name__ == "__main__":
    sys.exit(main())
