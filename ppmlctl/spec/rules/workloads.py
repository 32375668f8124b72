"""Rules for workloads and their order."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.variables import circle_from


def kinds_of(environment: Environment) -> Iterator[tuple[KeyPath, Kind]]:
    """What each workload is, with its key path."""
    for index, workload in enumerate(environment.workloads):
        yield ("workloads", index, workload.chosen), workload.kind


def workloads_have_an_image(environment: Environment) -> Iterator[Finding]:
    """A workload runs in the custom image."""
    if environment.workloads and environment.images is None:
        title, fix = "workloads have no image to run in", "add `images:` with `base` and `custom`"
        yield Finding(("workloads",), "workload-needs-image", title, "no `images`", fix=fix, at_key=True)


def deadlines_can_be_kept(environment: Environment) -> Iterator[Finding]:
    """Kubernetes takes seconds from 1 to 2**31 - 1 (`activeDeadlineSeconds`)."""
    for index, workload in enumerate(environment.workloads):
        if not 1 <= workload.deadline.seconds < 1 << 31:
            title, fix = "a deadline is out of range", "use 1s or more, and less than 68 years"
            path = ("workloads", index, "deadline")
            yield Finding(path, "deadline-out-of-range", title, str(workload.deadline), fix=fix)


def names_are_unique(environment: Environment) -> Iterator[Finding]:
    """Objects are named after workloads."""
    first: dict[str, int] = {}
    for index, workload in enumerate(environment.workloads):
        if workload.name in first:
            found = f"{workload.name}, as workloads[{first[workload.name]}]"
            path = ("workloads", index, "name")
            yield Finding(path, "duplicate-workload", "two workloads have one name", found, fix="rename one of them")
        first.setdefault(workload.name, index)


def needs_can_be_met(environment: Environment) -> Iterator[Finding]:
    """`needs` names other workloads, and never in a circle."""
    needs = {workload.name: workload.needs for workload in environment.workloads}
    for index, workload in enumerate(environment.workloads):
        for position, need in enumerate(workload.needs):
            if need not in needs:
                title, fix = "a workload needs one that does not exist", nearest(need, list(needs))
                yield Finding(("workloads", index, "needs", position), "unknown-need", title, need, fix=fix)
    circle = _circle(needs)
    if circle:
        path = ("workloads", [w.name for w in environment.workloads].index(circle[0]), "needs")
        title, fix = "workloads need each other in a circle", "remove one of these needs"
        yield Finding(path, "cyclic-needs", title, " -> ".join(circle), fix=fix)


def _circle(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """The names of one circle; empty when there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return circle_from(list(reversed(error.args[1]))[:-1], list(needs))
    return []
