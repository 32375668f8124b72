"""One run: started once, followed to its end, judged; ended and explained where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.labels import ENVIRONMENT, RUN
from ppmlctl.kubernetes.pod_state import phase
from ppmlctl.runs.log_heads import LogHeads
from ppmlctl.runs.pod_cause import cause_lines, meaning_lines
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.refusal import Refusal
from ppmlctl.runs.submitter import Submitter
from ppmlctl.runs.watch import Watch
from ppmlctl.runs.world import World
from ppmlctl.spark import Logs, Submission, Verdict, completed_template, judged, tells_refused_account

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient

SIMULATED = "simulated"
_SLOW = "see in its log how far it came, and raise `deadline`; the next apply makes another attempt"
_FAILED = "mend the cause; the next apply makes another attempt"
_EXECUTORS_TOLD = 2
_LINES_TOLD = 20
_TROUBLED = ({"Failed", "Pending"}, {"Succeeded"})
"""Executors that tell the cause: where none died or waits, those that ended well may have done nothing."""


@dataclass(frozen=True)
class Execution:
    """A run by its submission, after which everything of it is named and labelled."""

    ctx: World
    submission: Submission
    submitter: Submitter
    ask: Callable[[], Refusal] | None = None
    """Asks the service that the pods attest to why it refused them; None where there is nobody to ask."""

    def check(self) -> None:
        """Asks the cluster whether it takes the pods that Spark will ask for. Raises EngineError where it does not."""
        if self.submission.on_cluster:
            for role in ("driver", "executor"):
                template = completed_template(self.submission, role)
                template["metadata"]["name"] += "-template"
                self._client.apply(template, dry_run=True)
        if self.submission.claim and self.ctx.simulated is None:
            self._check_claim(self.submission.claim)

    def verdict(self, expected: str | None) -> Verdict:
        """Starts it, or picks it up, and waits for its end. Raises EngineError where nobody waits any more.

        Raises EngineError (workload-failed), with the cause from driver and executors, for a run that failed.
        """
        age = self.submitter.begin()
        self.ctx.tell(f"runs already as {self.submission.name}" if age else f"submitted as {self.submission.name}")
        left = max(1.0, self.submission.deadline - age)
        watch = Watch(self.ctx, self.submission, self.submitter, left)
        failure, pods = watch.until_ended()
        if not failure and self.ctx.simulated is not None:
            return Verdict(SIMULATED, self.ctx.simulated)
        verdict = (
            Verdict(failure=failure) if failure else judged(self.submission, self._logs(pods, watch.heads), expected)
        )
        for warning in verdict.warnings:
            self.ctx.warn(f"{self.submission.workload}: {warning}")
        if verdict.failure:
            raise self._failed(verdict.failure, pods, is_late=watch.is_late)
        return verdict

    def _failed(self, failure: str, pods: Pods, *, is_late: bool) -> EngineError:
        """Reads the cause while the pods are there, then ends what still runs: nobody would look at its result."""
        lines = [f"{self.submitter}: {failure}", *self._cause(pods)]
        refusal = self._refusal("\n".join(lines))
        lines += [refusal.said] if refusal else []
        self.submitter.end()
        end_pods(self.ctx, self.submission.namespace, self.submission.name)
        return EngineError(
            Diagnostic(
                "workload-failed",
                "a workload did not end in time" if is_late else "a workload failed",
                found="\n".join(lines),
                why="it is slow, waits for something, or is a server, which never ends" if is_late else "",
                fix=_SLOW if is_late else refusal.fix if refusal and refusal.fix else _FAILED,
            )
        )

    def _refusal(self, told: str) -> Refusal | None:
        return self.ask() if self.ask and tells_refused_account(told) else None

    def _cause(self, pods: Pods) -> Iterator[str]:
        own = pods.driver or self.submitter.pod(pods)
        if own is not None:
            yield from cause_lines(self._client, dict(own))
        else:
            log = self.submitter.log(pods)
            yield from (f"  {line}" for line in (*log.splitlines()[-_LINES_TOLD:], *meaning_lines(log)))
        by_phase = ([one for one in pods.executors if phase(one) in among] for among in _TROUBLED)
        troubled = next((found for found in by_phase if found), [])
        for pod in troubled[-_EXECUTORS_TOLD:]:
            yield from cause_lines(self._client, dict(pod))

    def _logs(self, pods: Pods, heads: LogHeads) -> Logs:
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

        def whole(pod: Mapping[str, Any]) -> str:
            return heads.with_head(pod["metadata"]["name"], self._client.pod_log(key_of(dict(pod))))

        own = pods.driver or self.submitter.pod(pods)
        alive = [pod for pod in pods.executors if phase(pod) in {"Running", "Succeeded"}]
        driver = whole(own) if own else self.submitter.log(pods)
        return Logs(driver, {pod["metadata"]["name"]: whole(pod) for pod in alive})

    def _check_claim(self, claim: str) -> None:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        key = ObjectKey("v1", "PersistentVolumeClaim", self.submission.namespace, claim)
        if self._client.get(key) is None:
            title, why = "a volume claim is not there", "pods that mount it would wait for it for ever"
            fix = "make it, or have it made: `cluster.storage.nfs`"
            raise EngineError(Diagnostic("claim-missing", title, found=str(key), why=why, fix=fix))

    @property
    def _client(self) -> KubernetesClient:
        return self.ctx.engines.kubernetes


def end_pods(ctx: World, namespace: str, run: str) -> int:
    """Deletes the pods of a run that have not ended, the driver first; ended ones keep their logs. Says how many."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    labels = f"{ENVIRONMENT}={ctx.environment},{RUN}={run}"
    pods = ctx.engines.kubernetes.list_objects("v1", "Pod", namespace, label_selector=labels)
    alive = [pod for pod in pods if phase(pod) in {"Pending", "Running"}]
    for pod in sorted(alive, key=lambda pod: pod["metadata"]["labels"].get("spark-role") != "driver"):
        ctx.engines.kubernetes.delete(key_of(pod), uid=pod["metadata"]["uid"])
    return len(alive)
