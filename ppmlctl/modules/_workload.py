"""What all workloads that end have in common: a run for each change of what they depend on, found by the journal.

A run is the attempt that was journalled last; see ppmlctl.runs.attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ppmlctl.kubernetes.labels import ENVIRONMENT, TASK, label_value
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, Observed, Recorded, Wanted, decide
from ppmlctl.runs.attempt import client_of, end_run

A = TypeVar("A", bound=ModuleArgs)
R = TypeVar("R", bound=ModuleResult)


class WorkloadModule(Module[A, R]):
    """Its arguments have `rerun`, its result the `namespace` of the run."""

    engine = "kubernetes"
    is_workload = True

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """By the journal alone: nothing in the cluster can make a finished run unfinished, so nothing is asked."""
        found = {}
        for one in wanted:
            began = ctx.intents.pending(one.address)
            if began or one.address in ctx.recorded:
                found[one.address] = Observed(exists=one.address in ctx.recorded, detail=began)
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        began = observed.detail or {}
        if recorded is None:
            return Change(ActionKind.CREATE, (_why_again(began) or "has not run yet",))
        if wanted.args.rerun == "always":
            return Change(ActionKind.UPDATE, ("runs at every apply",))
        if wanted.args.rerun == "never":
            return Change(ActionKind.KEEP, ("has run, and never runs again",))
        change = decide(wanted, observed, recorded)
        if change.action is ActionKind.KEEP and began:
            return Change(ActionKind.UPDATE, (_why_again(began),))
        return change

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Ends the run that was begun last, and takes every run of this task away, with its templates and pods."""
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

        client, namespace = ctx.engines.kubernetes, recorded.result["namespace"]
        began = ctx.intents.pending(ctx.address)
        if began and not began.get("failed") and self.roles is not None:
            end_run(ctx, namespace, began["submit"], self.roles, client_of(began))
        labels = ",".join(f"{name}={value}" for name, value in labels_of(ctx).items())
        for api_version, kind in (("batch/v1", "Job"), ("v1", "ConfigMap"), ("v1", "Pod")):
            for found in client.list_objects(api_version, kind, namespace, label_selector=labels):
                key = key_of({"apiVersion": api_version, "kind": kind, **found})
                client.delete(key, propagation="Foreground" if kind == "Job" else "Background", wait_seconds=60)


def labels_of(ctx: Context) -> dict[str, str]:
    """What everything that belongs to a task's runs is labelled with."""
    return {ENVIRONMENT: ctx.environment, TASK: label_value(ctx.address)}


def _why_again(began: Mapping[str, Any]) -> str:
    if began.get("failed"):
        return "failed when it ran last"
    return "was begun, and nobody saw its end" if began else ""
