"""How the logs of one run begin: a node keeps only the end of a long log, and the enclave's start is said first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.pod_state import Pod, phase
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.run import Run
from ppmlctl.runs.world import World

_BYTES = 256 << 10
_EVERY_SECONDS = 5.0
_MOST_AT_ONCE = 16
_LONGEST_CHARACTER = 4


@dataclass
class LogHeads:
    """By the pods' names; each is read until it holds what is said at first, while the pod runs."""

    ctx: World
    run: Run
    marks: Sequence[str]
    """What is said at first."""
    _texts: dict[str, str] = field(default_factory=dict)
    _read_at: float = 0.0

    def read(self, pods: Pods) -> None:
        """Reads what is missing, from time to time. A log that cannot be read now is read later, or is not needed."""
        if time.monotonic() - self._read_at < _EVERY_SECONDS:
            return
        self._read_at = time.monotonic()
        for pod in list(self._missing(pods))[:_MOST_AT_ONCE]:
            self._read(pod)

    def with_head(self, pod: str, log: str) -> str:
        """The log, behind its beginning where that is gone."""
        head = self._texts.get(pod, "")[:-_LONGEST_CHARACTER]  # the last character may be half of one
        return log if log.startswith(head) else f"{head}\n{log}"

    def _missing(self, pods: Pods) -> Iterator[Pod]:
        leaders = [pods.leader] if pods.leader else [] if self.run.leader_apart else pods.submitters
        for pod in (*leaders, *pods.workers):
            head = self._texts.get(pod["metadata"]["name"], "")
            if phase(pod) == "Running" and not all(mark in head for mark in self.marks):
                yield pod

    def _read(self, pod: Pod) -> None:
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

        try:
            text = self.ctx.engines.kubernetes.pod_log(key_of(dict(pod)), limit_bytes=_BYTES)
        except EngineError:
            return
        name = pod["metadata"]["name"]
        before = self._texts.get(name, "")
        if text.startswith(before[:-_LONGEST_CHARACTER]):  # else it is the end of a log already
            self._texts[name] = text
