"""Follows one run to its end: tells how far it is, and notices what will never end well before the deadline does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.kubernetes.admission import admission_name
from ppmlctl.kubernetes.labels import ENVIRONMENT, RUN
from ppmlctl.kubernetes.pod_state import HOPELESS_SECONDS, Pod, end_of, failed_mounts, patience, phase, waiting_reason
from ppmlctl.runs.log_heads import LogHeads
from ppmlctl.runs.pod_cause import warnings_of
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.run import Run
from ppmlctl.runs.submitter import SubmitState, Submitter
from ppmlctl.runs.world import World

_PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
"""Between looks: short ones after each change, since changes come together."""
_NO_LEADER_SECONDS = 5.0
_EVENTS_EVERY = 5.0
_MANY_ENDS = 10
"""Workers that may end before the run is given up, or three for each that is wanted."""


@dataclass(frozen=True)
class Sight:
    """A run at one instant."""

    pods: Pods
    submit: SubmitState


@dataclass
class Watch:
    """One run from its submission on. `seconds` are what its deadline leaves."""

    ctx: World
    run: Run
    submitter: Submitter
    seconds: float
    marks: Sequence[str] = ()
    """What its logs say at first."""
    _told: str = ""
    _looks: int = 0
    """Since the last change."""
    _leader_was_seen: bool = False
    _since: dict[str, float] = field(default_factory=dict)
    """When a trouble was first seen, by what it is."""
    _events_at: float = 0.0
    is_late: bool = False
    """Whether it was ended by its deadline."""

    @cached_property
    def heads(self) -> LogHeads:
        """How the logs began."""
        return LogHeads(self.ctx, self.run, self.marks)

    def until_ended(self) -> tuple[str, Pods]:
        """The failure in words, empty where the leader ended well, and the pods as they were then.

        Outlives short faults of the API server. Raises EngineError (workload-detached) once the user stops waiting.
        """
        over = time.monotonic() + self.seconds
        pods = Pods(self.run, ())
        while True:
            try:
                sight = self._sight()
                pods = sight.pods
                failure = self._judged(sight)
            except TransientError as error:
                failure = None
                self._tell(f"the cluster does not answer ({error.diagnostics[0].found}); still looking")
            if failure is not None:
                return failure, pods
            if time.monotonic() >= over:
                return self._late(), pods
            self._looks += 1
            if self.ctx.stopping.wait(_PAUSES_SECONDS[min(self._looks, len(_PAUSES_SECONDS)) - 1]):
                title, fix = "a workload still runs; nobody waits for it now", "the next apply picks it up"
                raise EngineError(Diagnostic("workload-detached", title, found=str(self.submitter), fix=fix))

    def _sight(self) -> Sight:
        labels = f"{ENVIRONMENT}={self.ctx.environment},{RUN}={self.run.name}"
        found = self.ctx.engines.kubernetes.list_objects("v1", "Pod", self.run.namespace, label_selector=labels)
        pods = Pods(self.run, found)
        return Sight(pods, self.submitter.look(pods))

    def _judged(self, sight: Sight) -> str | None:
        self._tell(_stage(self.run, sight))
        self.heads.read(sight.pods)
        ended = self._ended(sight)
        return self._hopeless(sight) if ended is None else ended

    def _ended(self, sight: Sight) -> str | None:
        """Empty: well. None: not yet. A leader's own pod says so, whatever became of the submission."""
        if self.run.leader_apart and self.ctx.simulated is None:
            return self._leader_ended(sight)
        if sight.submit.phase == "late":
            return self._late()
        return {"running": None, "done": ""}.get(sight.submit.phase, sight.submit.cause)

    def _late(self) -> str:
        self.is_late = True
        return f"it did not end within its deadline of {self.run.deadline} s"

    def _leader_ended(self, sight: Sight) -> str | None:
        leader, word = sight.pods.leader, self.run.roles.leader
        if leader is not None:
            self._leader_was_seen = True
            if (leader.get("status") or {}).get("reason") == "DeadlineExceeded":
                return self._late()
            return {"Succeeded": "", "Failed": f"its {word} failed: {end_of(leader)}"}.get(phase(leader))
        if sight.submit.phase == "late":
            return self._late()
        if self._leader_was_seen:
            return f"its {word}'s pod was deleted while it ran"
        if sight.submit.phase == "running" or not self._lasts("no leader", _NO_LEADER_SECONDS):
            return None
        return f"no {word} was made: {sight.submit.cause or 'the submission ended well all the same'}"

    def _hopeless(self, sight: Sight) -> str | None:
        ended = sight.pods.ended_workers
        if ended >= max(_MANY_ENDS, 3 * (self.run.workers or 0)):
            return f"{self.run.roles.worker}s end one after another, {ended} so far"
        for pod in _held_up(sight.pods):
            name, reason = pod["metadata"]["name"], waiting_reason(pod)
            seconds = patience(pod)
            if seconds is not None and self._lasts(f"{name} {reason.partition(':')[0]}", seconds):
                return f"pod {name} cannot start: {reason}"
        return self._mount_failure(sight.pods)

    def _mount_failure(self, pods: Pods) -> str | None:
        """A secret, claim, device or socket that is not there is told by events alone."""
        if time.monotonic() - self._events_at < _EVENTS_EVERY:
            return None
        self._events_at = time.monotonic()
        for pod in _held_up(pods):
            name = pod["metadata"]["name"]
            if waiting_reason(pod) or not self._lasts(f"{name} pending", _EVENTS_EVERY):
                continue
            told = warnings_of(self.ctx.engines.kubernetes, dict(pod))
            mounts = (text for text in told if text.startswith("FailedMount"))
            messages = failed_mounts(mounts, admission_name(self.run.name))
            if messages and self._lasts(f"{name} mounts", HOPELESS_SECONDS):
                return f"pod {name} cannot start: {messages[-1]}"
        return None

    def _lasts(self, trouble: str, seconds: float) -> bool:
        """Whether a trouble that is there now has been for so long."""
        return time.monotonic() - self._since.setdefault(trouble, time.monotonic()) >= seconds

    def _tell(self, text: str) -> None:
        if text and text != self._told:
            self._told, self._looks = text, 0
            self.ctx.tell(text)


def _held_up(pods: Pods) -> Iterator[Pod]:
    """Pods without which nothing goes on; of the workers only while none of them runs."""
    workers = [] if pods.running_workers else pods.workers
    for pod in (*pods.submitters[:1], *([pods.leader] if pods.leader else []), *workers):
        if phase(pod) == "Pending":
            yield pod


def _stage(run: Run, sight: Sight) -> str:
    """How far it is, in words."""
    pods, leader, word = sight.pods, sight.pods.leader, run.roles.leader
    if run.leader_apart and leader is not None:
        if phase(leader) == "Pending":
            return f"{word} pending{_because(leader)}"
        lost = "" if "deletionTimestamp" not in leader["metadata"] else " (being deleted; is its node lost?)"
        return f"{word} {phase(leader).lower()}{lost}{_workers(run, pods)}"
    submitters = pods.submitters[:1]
    if submitters and phase(submitters[0]) == "Pending":
        return f"submission pending{_because(submitters[0])}"
    if not submitters and sight.submit.phase == "running" and not sight.submit.cause:
        return ""
    what = "submission" if run.leader_apart else word
    workers = "" if run.leader_apart else _workers(run, pods)
    return f"{what} {'running' if sight.submit.phase == 'running' else 'ended'}{workers}"


def _workers(run: Run, pods: Pods) -> str:
    if run.workers is None:
        return ""
    died = f", {pods.dead_workers} died" if pods.dead_workers else ""
    waiting = next((_because(pod) for pod in pods.workers if phase(pod) == "Pending"), "")
    return f", {run.roles.worker}s {pods.running_workers}/{run.workers}{waiting}{died}"


def _because(pod: Pod) -> str:
    reason = waiting_reason(pod)
    return f" ({reason})" if reason else ""
