"""Follows one run to its end: tells how far it is, and notices what will never end well before the deadline does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.kubernetes.labels import ENVIRONMENT, RUN
from ppmlctl.kubernetes.pod_state import HOPELESS_SECONDS, Pod, end_of, failed_mounts, patience, phase, waiting_reason
from ppmlctl.runs.log_heads import LogHeads
from ppmlctl.runs.pod_cause import warnings_of
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.submitter import SubmitState, Submitter
from ppmlctl.runs.world import World
from ppmlctl.spark import Submission, admission_name

_PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
"""Between looks: short ones after each change, since changes come together."""
_NO_DRIVER_SECONDS = 5.0
_EVENTS_EVERY = 5.0
_MANY_ENDS = 10
"""Executors that may end before the run is given up, or three for each that is wanted."""


@dataclass(frozen=True)
class Sight:
    """A run at one instant."""

    pods: Pods
    submit: SubmitState


@dataclass
class Watch:
    """One run from its submission on. `seconds` are what its deadline leaves."""

    ctx: World
    submission: Submission
    submitter: Submitter
    seconds: float
    _told: str = ""
    _looks: int = 0
    """Since the last change."""
    _driver_was_seen: bool = False
    _since: dict[str, float] = field(default_factory=dict)
    """When a trouble was first seen, by what it is."""
    _events_at: float = 0.0
    is_late: bool = False
    """Whether it was ended by its deadline."""

    @cached_property
    def heads(self) -> LogHeads:
        """How the logs began."""
        return LogHeads(self.ctx, self.submission)

    def until_ended(self) -> tuple[str, Pods]:
        """The failure in words, empty where the driver ended well, and the pods as they were then.

        Outlives short faults of the API server. Raises EngineError (workload-detached) once the user stops waiting.
        """
        over = time.monotonic() + self.seconds
        pods = Pods(self.submission, ())
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
        labels = f"{ENVIRONMENT}={self.ctx.environment},{RUN}={self.submission.name}"
        found = self.ctx.engines.kubernetes.list_objects("v1", "Pod", self.submission.namespace, label_selector=labels)
        pods = Pods(self.submission, found)
        return Sight(pods, self.submitter.look(pods))

    def _judged(self, sight: Sight) -> str | None:
        self._tell(_stage(self.submission, sight))
        self.heads.read(sight.pods)
        ended = self._ended(sight)
        return self._hopeless(sight) if ended is None else ended

    def _ended(self, sight: Sight) -> str | None:
        """Empty: well. None: not yet. In cluster mode the driver's pod says so, whatever became of the submission."""
        if self.submission.mode == "cluster" and self.ctx.simulated is None:
            return self._driver_ended(sight)
        if sight.submit.phase == "late":
            return self._late()
        return {"running": None, "done": ""}.get(sight.submit.phase, sight.submit.cause)

    def _late(self) -> str:
        self.is_late = True
        return f"it did not end within its deadline of {self.submission.deadline} s"

    def _driver_ended(self, sight: Sight) -> str | None:
        driver = sight.pods.driver
        if driver is not None:
            self._driver_was_seen = True
            if (driver.get("status") or {}).get("reason") == "DeadlineExceeded":
                return self._late()
            return {"Succeeded": "", "Failed": f"its driver failed: {end_of(driver)}"}.get(phase(driver))
        if sight.submit.phase == "late":
            return self._late()
        if self._driver_was_seen:
            return "its driver's pod was deleted while it ran"
        if sight.submit.phase == "running" or not self._lasts("no driver", _NO_DRIVER_SECONDS):
            return None
        return f"no driver was made: {sight.submit.cause or 'the submission ended well all the same'}"

    def _hopeless(self, sight: Sight) -> str | None:
        ended = sight.pods.ended_executors
        if ended >= max(_MANY_ENDS, 3 * self.submission.executor.instances):
            return f"executors end one after another, {ended} so far"
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
            messages = failed_mounts(mounts, admission_name(self.submission))
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
    """Pods without which nothing goes on; of the executors only while none of them runs."""
    executors = [] if pods.running_executors else pods.executors
    for pod in (*pods.submitters[:1], *([pods.driver] if pods.driver else []), *executors):
        if phase(pod) == "Pending":
            yield pod


def _stage(submission: Submission, sight: Sight) -> str:
    """How far it is, in words."""
    pods, driver = sight.pods, sight.pods.driver
    if submission.mode == "cluster" and driver is not None:
        if phase(driver) == "Pending":
            return f"driver pending{_because(driver)}"
        lost = "" if "deletionTimestamp" not in driver["metadata"] else " (being deleted; is its node lost?)"
        return f"driver {phase(driver).lower()}{lost}{_executors(submission, pods)}"
    submitters = pods.submitters[:1]
    if submitters and phase(submitters[0]) == "Pending":
        return f"submission pending{_because(submitters[0])}"
    if not submitters and sight.submit.phase == "running" and not sight.submit.cause:
        return ""
    what = "submission" if submission.mode == "cluster" else "driver"
    executors = _executors(submission, pods) if submission.mode == "client" else ""
    return f"{what} {'running' if sight.submit.phase == 'running' else 'ended'}{executors}"


def _executors(submission: Submission, pods: Pods) -> str:
    died = f", {pods.dead_executors} died" if pods.dead_executors else ""
    waiting = next((_because(pod) for pod in pods.executors if phase(pod) == "Pending"), "")
    return f", executors {pods.running_executors}/{submission.executor.instances}{waiting}{died}"


def _because(pod: Pod) -> str:
    reason = waiting_reason(pod)
    return f" ({reason})" if reason else ""
