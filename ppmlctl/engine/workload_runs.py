"""The runs of workloads, as the lockfile knows them: which is the last one, and whether it has been seen to end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.flows.registry import module_of_before
from ppmlctl.planning import Recorded

_PREFIX = "workload."


@dataclass(frozen=True)
class WorkloadRun:
    """The last run of a workload. `client`: the container of this machine that submitted it."""

    workload: str
    name: str
    namespace: str
    module: str
    pending: bool
    client: str | None = None
    runs: str | None = None
    """The folder of that container's runs."""


def last_run(
    workload: str,
    names: Iterable[str],
    recorded: Mapping[str, Recorded],
    intents: Mapping[str, Mapping[str, Any]],
) -> WorkloadRun:
    """The run that was begun last. Raises InputError: `workload-unknown`, `workload-not-run`."""
    address = _PREFIX + workload
    intent, entry = intents.get(address), recorded.get(address)
    if intent is not None:
        pending = not intent.get("failed")
        client, runs = intent.get("client"), intent.get("runs")
        return WorkloadRun(workload, intent["submit"], intent["namespace"], module_of(intent), pending, client, runs)
    if entry is not None:
        made = entry.result
        name, namespace, runs = made["name"], made["namespace"], made.get("runs")
        return WorkloadRun(workload, name, namespace, entry.module, pending=False, runs=runs)
    check_names([workload], names)
    raise InputError(Diagnostic("workload-not-run", "a workload has not run yet", workload, fix="ppmlctl apply"))


def abandoned_runs(
    intents: Mapping[str, Mapping[str, Any]], recorded: Mapping[str, Recorded], wanted: Collection[str]
) -> dict[str, Recorded]:
    """Runs that were begun, never seen to succeed, and that no task wants any more: they are removed like all else.

    They need whatever is recorded, so what their pods read is not taken from under them.
    """
    needs = tuple(sorted(address for address in recorded if not address.startswith(_PREFIX)))
    return {
        address: Recorded(
            module_of(intent), result={"name": intent["submit"], "namespace": intent["namespace"]}, needs=needs
        )
        for address, intent in intents.items()
        if "submit" in intent and address not in recorded and address not in wanted
    }


def module_of(intent: Mapping[str, Any]) -> str:
    """The module that began a run."""
    return str(intent.get("module") or module_of_before())


def with_reruns(data: dict[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    """The environment's data as if ppml.yaml said `rerun: always` of these. Raises InputError (workload-unknown)."""
    workloads = data["workloads"]
    check_names(wanted, [workload["name"] for workload in workloads])
    again = [{**workload, "rerun": "always"} if workload["name"] in wanted else workload for workload in workloads]
    return {**data, "workloads": again}


def check_names(wanted: Collection[str], names: Iterable[str]) -> None:
    """Raises InputError (workload-unknown) for a name that ppml.yaml does not know."""
    known = list(names)
    for name in sorted(set(wanted) - set(known)):
        title, fix = "there is no such workload", f"workloads: {', '.join(known) or 'none'}"
        raise InputError(Diagnostic("workload-unknown", title, found=name, fix=fix))
