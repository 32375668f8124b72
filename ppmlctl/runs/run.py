"""What a run is to whoever carries it out: names, labels, a deadline, and which of its pods is what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.kubernetes.pod_state import Pod


@dataclass(frozen=True)
class Roles:
    """What the pods of a run are, by their labels and in people's words: one leads, the others work for it."""

    leader: str
    worker: str
    label: str
    """The label that says it."""
    number: str
    """The label with a worker's number."""

    def leads(self, pod: Pod) -> bool:
        """Whether a pod of the run is its leader's."""
        return self.label_of(pod, self.label) == self.leader

    def works(self, pod: Pod) -> bool:
        """Whether a pod of the run is one of its workers."""
        return self.label_of(pod, self.label) == self.worker

    def leader_name(self, run: str) -> str:
        """The name that the leader's pod is fixed to, so that the API server itself refuses a second one."""
        return f"{run}-{self.leader}"

    @staticmethod
    def label_of(pod: Pod, name: str) -> str | None:
        """The value of a pod's label."""
        labels: Mapping[str, Any] = pod["metadata"].get("labels") or {}
        return labels.get(name)


@dataclass(frozen=True)
class Run:
    """One run of one workload. `name` is the Job's; everything that belongs to it is named after it and labelled."""

    name: str
    workload: str
    namespace: str
    roles: Roles
    deadline: int
    """Seconds."""
    labels: Mapping[str, str] = field(default_factory=dict)
    leader_apart: bool = False
    """Whether a pod of its own leads it and tells how it ended; else what submits it does."""
    workers: int | None = None
    """How many are wanted; None: a run without any."""
    ends_idle_workers: bool = False
    """Whether workers that end well may have been idle."""
