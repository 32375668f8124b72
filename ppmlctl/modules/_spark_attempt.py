"""Which attempt of a workload runs now: one that was begun is gone on with, one that failed is followed by the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import EngineError
from ppmlctl.modules._container_submitter import ClientContainer, end_command, has_failed
from ppmlctl.modules._job_submitter import condition
from ppmlctl.modules._spark_run import end_pods
from ppmlctl.modules.context import Context
from ppmlctl.spark import driver_name, phase, run_name

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest


@dataclass(frozen=True)
class Attempt:
    """One attempt, journalled before anything of it is made."""

    ctx: Context
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
    client: ClientContainer | None = None


def begin_attempt(ctx: Context, workload: Workload, digest: str) -> Attempt:
    """The attempt to carry out. Ends a run that was begun with other arguments and that nobody waits for any more."""
    pending, recorded = ctx.intents.pending(ctx.address), ctx.recorded.get(ctx.address)
    number = 1
    if pending and pending.get("digest") == digest:
        over = pending.get("failed") or _is_over(ctx, workload, pending["submit"])
        number = int(pending["attempt"]) + bool(over)
    elif recorded and recorded.result.get("digest") == digest:
        number = int(recorded.result["attempt"]) + 1
    if pending and pending.get("digest") != digest and not pending.get("failed"):
        end_run(ctx, workload.namespace, pending["submit"], client_of(pending))
    run = run_name(workload.name, digest, number)
    intent: dict[str, Any] = {"submit": run, "namespace": workload.namespace, "digest": digest, "attempt": number}
    if workload.client:
        intent |= {"client": workload.client.name, "runs": workload.client.folder}
    ctx.intents.begin(ctx.address, intent)
    return Attempt(ctx, number, intent)


def client_of(intent: Mapping[str, Any]) -> ClientContainer | None:
    """The container that an intent's run was submitted by; None: a Job."""
    return ClientContainer(intent["client"], intent["runs"]) if "client" in intent else None


def end_run(ctx: Context, namespace: str, run: str, client: ClientContainer | None = None) -> bool:
    """Ends a run: what submits it, its driver, its executors. Says whether anything still ran."""
    submits = end_command(ctx, client, run) if client else _end_job(ctx, namespace, run)
    ended = end_pods(ctx, namespace, run)
    if submits or ended:
        ctx.tell(f"ended {run}, which nobody waits for any more")
    return bool(submits or ended)


def _end_job(ctx: Context, namespace: str, run: str) -> bool:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    job = ctx.engines.kubernetes.get(ObjectKey("batch/v1", "Job", namespace, run))
    submits = job is not None and not (condition(job, "Complete") or condition(job, "Failed"))
    if submits:
        ctx.engines.kubernetes.delete(ObjectKey("batch/v1", "Job", namespace, run))
    return submits


def _is_over(ctx: Context, workload: Workload, run: str) -> bool:
    """Whether a run that was begun cannot succeed any more: failed, or begun and gone."""

    def live(api_version: str, kind: str, name: str) -> Manifest | None:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        return ctx.engines.kubernetes.get(ObjectKey(api_version, kind, workload.namespace, name))

    driver = live("v1", "Pod", driver_name(run))
    if driver is not None:
        return phase(driver) == "Failed"
    if workload.client is not None:
        return has_failed(ctx, workload.client, run)
    job = live("batch/v1", "Job", run)
    if job is not None:
        return condition(job, "Failed") is not None
    return live("v1", "ConfigMap", f"{run}-admission") is not None
