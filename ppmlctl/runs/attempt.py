"""Which attempt of a workload runs now: one that was begun is gone on with, one that failed is followed by the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.labels import environment_of
from ppmlctl.kubernetes.pod_state import phase
from ppmlctl.runs.container_submitter import ClientContainer, end_command, state_of
from ppmlctl.runs.execution import end_pods
from ppmlctl.runs.job_submitter import condition
from ppmlctl.runs.run import Roles
from ppmlctl.runs.world import World

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest


@dataclass(frozen=True)
class Attempt:
    """One attempt, journalled before anything of it is made."""

    ctx: World
    number: int
    intent: Mapping[str, Any]

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Writes down that it failed, where it did, so that the next apply makes another attempt."""
        try:
            yield
        except EngineError as error:
            if error.diagnostics[0].code == "workload-failed":
                self.ctx.intents.begin(self.ctx.address, {**self.intent, "failed": True})
            raise


@dataclass(frozen=True)
class Workload:
    """Whose attempts these are. `client`: the container that submits them; None: a Job does."""

    name: str
    namespace: str
    module: str
    roles: Roles
    longest_name: int
    """Characters that the name of a run may have."""
    client: ClientContainer | None = None
    leader_apart: bool = False
    """Whether a pod of its own leads a run, so that a submission's good end says nothing of the run's."""

    def run_name(self, digest: str, attempt: int) -> str:
        """WORKLOAD-DIGEST-ATTEMPT; the workload's part is cut where the whole would be too long."""
        suffix = f"-{digest}-{attempt}"
        return self.name[: self.longest_name - len(suffix)].rstrip("-") + suffix


def begin_attempt(ctx: World, workload: Workload, digest: str) -> Attempt:
    """The attempt to carry out. Ends a run that was begun with other arguments and that nobody waits for any more."""
    pending, number = ctx.intents.pending(ctx.address), _number(ctx, workload, digest)
    if pending and pending.get("digest") != digest and not pending.get("failed"):
        end_run(ctx, workload.namespace, pending["submit"], workload.roles, client_of(pending))
    run = workload.run_name(digest, number)
    intent: dict[str, Any] = {"submit": run, "namespace": workload.namespace, "digest": digest, "attempt": number}
    intent["module"] = workload.module
    if workload.client:
        intent |= {"client": workload.client.name, "runs": workload.client.folder}
    ctx.intents.begin(ctx.address, intent)
    return Attempt(ctx, number, intent)


def _number(ctx: World, workload: Workload, digest: str) -> int:
    """That of the run that was begun and can still succeed, else the first whose run has not ended already.

    A run of these arguments may lie further back than intent and record tell: there were others in between.
    """
    pending, recorded = ctx.intents.pending(ctx.address), ctx.recorded.get(ctx.address)
    number = 1
    if pending and pending.get("digest") == digest:
        number = int(pending["attempt"])
        if not pending.get("failed") and _end_of(ctx, workload, pending["submit"]) is not End.FAILED:
            return number
        number += 1
    elif recorded and recorded.result.get("digest") == digest:
        number = int(recorded.result["attempt"]) + 1
    while _end_of(ctx, workload, workload.run_name(digest, number)) is not None:
        number += 1
    return number


def client_of(intent: Mapping[str, Any]) -> ClientContainer | None:
    """The container that an intent's run was submitted by; None: a Job."""
    return ClientContainer(intent["client"], intent["runs"]) if "client" in intent else None


def end_run(ctx: World, namespace: str, run: str, roles: Roles, client: ClientContainer | None = None) -> bool:
    """Ends a run: what submits it, its leader, its workers. Says whether anything still ran."""
    submits = end_command(ctx, client, run) if client else _end_job(ctx, namespace, run)
    ended = end_pods(ctx, namespace, run, roles)
    if submits or ended:
        ctx.tell(f"ended {run}, which nobody waits for any more")
    return bool(submits or ended)


def _end_job(ctx: World, namespace: str, run: str) -> bool:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    job = ctx.engines.kubernetes.get(ObjectKey("batch/v1", "Job", namespace, run))
    submits = job is not None and not (condition(job, "Complete") or condition(job, "Failed"))
    if job is not None and submits:
        ctx.engines.kubernetes.delete(ObjectKey("batch/v1", "Job", namespace, run), uid=job["metadata"]["uid"])
    return submits


class End(Enum):
    """How a run has ended."""

    WELL = "well"
    FAILED = "failed"
    """Or it was begun, and is gone."""


def _end_of(ctx: World, workload: Workload, run: str) -> End | None:
    """How a run has ended; None for one that goes on, or never began."""

    def live(api_version: str, kind: str, name: str) -> Manifest | None:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        return ctx.engines.kubernetes.get(ObjectKey(api_version, kind, workload.namespace, name))

    leader = live("v1", "Pod", workload.roles.leader_name(run))
    if leader is not None:
        deleted = End.FAILED if leader["metadata"].get("deletionTimestamp") else None
        return {"Succeeded": End.WELL, "Failed": End.FAILED}.get(phase(leader), deleted)
    submitted = End.FAILED if workload.leader_apart else End.WELL
    if workload.client is not None:
        state = state_of(ctx, workload.client, run)
        return {"done": submitted}.get(state, None if state in {"", "running"} else End.FAILED)
    job = live("batch/v1", "Job", run)
    if job is not None and environment_of(job) != ctx.environment:
        return None  # whoever begins the run says whose it is
    if job is not None:
        conditions = {"Complete": submitted, "Failed": End.FAILED}
        return next((end for name, end in conditions.items() if condition(job, name) is not None), None)
    return End.FAILED if live("v1", "ConfigMap", f"{run}-admission") is not None else None
