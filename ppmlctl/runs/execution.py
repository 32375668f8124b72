"""One run: started once, followed to its end, judged; ended and explained where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.kubernetes.labels import ENVIRONMENT, RUN
from ppmlctl.kubernetes.pod_state import phase
from ppmlctl.runs.judge import Judge, Verdict
from ppmlctl.runs.log_heads import LogHeads
from ppmlctl.runs.pod_cause import cause_lines, meaning_lines
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.run import Roles, Run
from ppmlctl.runs.submitter import Submitter
from ppmlctl.runs.watch import Watch
from ppmlctl.runs.world import World

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient

SIMULATED = "simulated"
_SLOW = "see in its log how far it came, and raise `deadline`; the next apply makes another attempt"
_FAILED = "mend the cause; the next apply makes another attempt"
_WORKERS_TOLD = 2
_LINES_TOLD = 20
_TROUBLED = ({"Failed", "Pending"}, {"Succeeded"})
"""Workers that tell the cause: where none died or waits, those that ended well may have done nothing."""


@dataclass(frozen=True)
class Outcome:
    """What is claimed of a run that ended well, with its evidence."""

    claim: str
    evidence: Evidence | None


@dataclass(frozen=True)
class Execution:
    """A run with what submits it and what judges it."""

    ctx: World
    run: Run
    submitter: Submitter
    judge: Judge

    def outcome(self) -> Outcome:
        """Starts it, or picks it up, and waits for its end. Raises EngineError where nobody waits any more.

        Raises EngineError (workload-failed), with the cause from leader and workers, for a run that failed.
        """
        age = self.submitter.begin()
        self.ctx.tell(f"runs already as {self.run.name}" if age else f"submitted as {self.run.name}")
        left = max(1.0, self.run.deadline - age)
        watch = Watch(self.ctx, self.run, self.submitter, left, self.judge.said_at_first)
        failure, pods = watch.until_ended()
        if failure:
            raise self._failed(failure, pods, is_late=watch.is_late)
        if self.ctx.simulated is not None:
            return Outcome(SIMULATED, self.ctx.simulated)
        verdict = self._judged(pods, watch.heads)
        for warning in verdict.warnings:
            self.ctx.warn(f"{self.run.workload}: {warning}")
        if verdict.failure:
            raise self._failed(verdict.failure, pods)
        return Outcome(verdict.claim, verdict.evidence)

    def _failed(self, failure: str, pods: Pods, *, is_late: bool = False) -> EngineError:
        """Reads the cause while the pods are there, then ends what still runs: nobody would look at its result."""
        lines = [f"{self.submitter}: {failure}", *self._cause(pods)]
        refusal = self.judge.refusal("\n".join(lines))
        lines += [refusal.said] if refusal else []
        self.submitter.end()
        end_pods(self.ctx, self.run.namespace, self.run.name, self.run.roles)
        return EngineError(
            Diagnostic(
                "workload-failed",
                "a workload did not end in time" if is_late else "a workload failed",
                found="\n".join(lines),
                why="it is slow, waits for something, or is a server, which never ends" if is_late else "",
                fix=_SLOW if is_late else refusal.fix if refusal and refusal.fix else _FAILED,
            )
        )

    def _cause(self, pods: Pods) -> Iterator[str]:
        own = pods.leader or self.submitter.pod(pods)
        if own is not None:
            yield from cause_lines(self._client, dict(own))
        else:
            log = self.submitter.log(pods)
            yield from (f"  {line}" for line in (*log.splitlines()[-_LINES_TOLD:], *meaning_lines(log)))
        by_phase = ([one for one in pods.workers if phase(one) in among] for among in _TROUBLED)
        troubled = next((found for found in by_phase if found), [])
        for pod in troubled[-_WORKERS_TOLD:]:
            yield from cause_lines(self._client, dict(pod))

    def _judged(self, pods: Pods, heads: LogHeads) -> Verdict:
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

        def whole(pod: Mapping[str, Any]) -> str:
            return heads.with_head(pod["metadata"]["name"], self._client.pod_log(key_of(dict(pod))))

        own = pods.leader or self.submitter.pod(pods)
        alive = [pod for pod in pods.workers if phase(pod) in {"Running", "Succeeded"}]
        leader = whole(own) if own else self.submitter.log(pods)
        return self.judge.judged(leader, {pod["metadata"]["name"]: whole(pod) for pod in alive})

    @property
    def _client(self) -> KubernetesClient:
        return self.ctx.engines.kubernetes


def end_pods(ctx: World, namespace: str, run: str, roles: Roles) -> int:
    """Deletes the pods of a run that have not ended, the leader first; ended ones keep their logs. Says how many."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    labels = f"{ENVIRONMENT}={ctx.environment},{RUN}={run}"
    pods = ctx.engines.kubernetes.list_objects("v1", "Pod", namespace, label_selector=labels)
    alive = [pod for pod in pods if phase(pod) in {"Pending", "Running"}]
    for pod in sorted(alive, key=lambda pod: not roles.leads(pod)):
        ctx.engines.kubernetes.delete(key_of(pod), uid=pod["metadata"]["uid"])
    return len(alive)
