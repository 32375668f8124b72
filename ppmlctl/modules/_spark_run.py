"""One run of a Spark application in the cluster: started once, followed to its end, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._job_log import last_lines
from ppmlctl.modules._kubernetes import ENVIRONMENT
from ppmlctl.modules.context import Context
from ppmlctl.spark import Outcome, Submission, driver_name, job_manifest, judged, templates_manifest

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest, ObjectKey

SIMULATED = "simulated"
BEYOND_DEADLINE = 30.0
"""Seconds beyond the Job's own deadline before the wait itself gives up."""


@dataclass(frozen=True)
class SparkRun:
    """A run by its submission, whose name is the Job's."""

    ctx: Context
    submission: Submission

    def start(self) -> None:
        """Makes the Job, or finds it there: then it is this run, gone on with. Raises EngineError for another's Job."""
        from ppmlctl.clients.kubernetes import ObjectExistsError  # noqa: PLC0415 - plans do without the client

        try:
            self._client.create(job_manifest(self.submission))
        except ObjectExistsError:
            live = self._client.get(self._job) or {"metadata": {}}
            if (live["metadata"].get("labels") or {}).get(ENVIRONMENT) != self.ctx.environment:
                title = "a workload's name is taken by a Job of somebody else"
                raise EngineError(Diagnostic("workload-name-taken", title, found=str(self._job))) from None
            self.ctx.tell(f"{self.submission.name} runs already; waiting for it")
        else:
            self.ctx.tell(f"submitted as {self.submission.name}")

    def prepare(self) -> None:
        """Puts the pod templates in place that the Job mounts."""
        self._client.apply(templates_manifest(self.submission))

    def outcome(self, expected: str | None) -> Outcome:
        """Waits for the end and judges it. Raises EngineError where nobody waits any more, or the Job was deleted."""
        job = self._ended()
        failed = condition(job, "Failed")
        if failed is not None:
            return Outcome(failure=f"{failed.get('reason', '')} {failed.get('message', '')}".strip() or "failed")
        if self.ctx.simulated is not None:
            return Outcome(SIMULATED, self.ctx.simulated)
        return judged(self._driver(), self._log() if expected is not None else "", expected)

    def failed(self, outcome: Outcome) -> EngineError:
        """The error for a failed run, with the last words of its driver, else of its submission.

        Ends a driver that outlived its submission: nobody would look at its result.
        """
        driver = self._driver()
        pods = [driver] if driver else self._client.pods_of_job(self._job)[-1:]
        lines = [f"{self._job}: {outcome.failure}", *(line for pod in pods for line in last_lines(self._client, pod))]
        if driver is not None and driver.get("status", {}).get("phase") in ("Pending", "Running"):
            self._client.delete(self._driver_key)
        return EngineError(
            Diagnostic(
                "workload-failed",
                "a workload failed",
                found="\n".join(lines),
                fix="mend the cause; the next apply makes another attempt",
            )
        )

    @property
    def _client(self) -> KubernetesClient:
        return self.ctx.engines.kubernetes

    @property
    def _job(self) -> ObjectKey:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        return ObjectKey("batch/v1", "Job", self.submission.namespace, self.submission.name)

    @property
    def _driver_key(self) -> ObjectKey:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        return ObjectKey("v1", "Pod", self.submission.namespace, driver_name(self.submission.name))

    def _driver(self) -> Manifest | None:
        return self._client.get(self._driver_key) if self.submission.mode == "cluster" else None

    def _log(self) -> str:
        """What the application said: its driver's log, or the submission's where it ran in there."""
        if self._driver() is None:
            return self._client.job_log(self._job)
        return self._client.pod_log(self._driver_key)

    def _ended(self) -> Manifest:
        from ppmlctl.clients.kubernetes import Condition, WaitStoppedError  # noqa: PLC0415 - plans do without the client

        ended = Condition("the submission has ended", has_ended)
        seconds = self.submission.deadline + BEYOND_DEADLINE
        try:
            job = self._client.wait(self._job, ended, seconds, stopping=self.ctx.stopping)
        except WaitStoppedError:
            title, fix = "a workload still runs; nobody waits for it now", "the next apply picks it up"
            raise EngineError(Diagnostic("workload-detached", title, found=str(self._job), fix=fix)) from None
        if job is None:
            title = "a workload's Job was deleted while it ran"
            raise EngineError(Diagnostic("workload-failed", title, found=str(self._job)))
        return job


def has_ended(job: Manifest | None) -> bool:
    """Whether there is nothing more to wait for."""
    return job is None or any(condition(job, kind) is not None for kind in ("Complete", "Failed"))


def condition(job: Manifest, kind: str) -> Mapping[str, Any] | None:
    """A condition of the Job that is true; None where it is not."""
    conditions = job.get("status", {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind and c["status"] == "True"), None)
