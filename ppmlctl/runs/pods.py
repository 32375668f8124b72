"""The pods of one run: which leads it, which are its workers, and how many of them are up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ppmlctl.kubernetes.pod_state import Pod, phase
from ppmlctl.runs.run import Run


@dataclass(frozen=True)
class Pods:
    """The pods of one run, as they are now."""

    run: Run
    all: Sequence[Pod]

    @cached_property
    def leader(self) -> Pod | None:
        """The leader's own pod; None where what submits the run leads it, or it is not there (yet)."""
        wanted = self.run.roles.leader_name(self.run.name)
        return next((pod for pod in self.all if pod["metadata"]["name"] == wanted), None)

    @cached_property
    def workers(self) -> list[Pod]:
        """By their numbers."""
        roles = self.run.roles
        return sorted(filter(roles.works, self.all), key=lambda pod: int(roles.label_of(pod, roles.number) or 0))

    @cached_property
    def submitters(self) -> list[Pod]:
        """Pods of the Job, oldest first."""
        found = [pod for pod in self.all if self.run.roles.label_of(pod, "job-name") == self.run.name]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    @property
    def running_workers(self) -> int:
        """How many are up."""
        return sum(phase(pod) == "Running" for pod in self.workers)

    @property
    def dead_workers(self) -> int:
        """How many died; each may be replaced, for ever."""
        return sum(phase(pod) == "Failed" for pod in self.workers)

    @property
    def ended_workers(self) -> int:
        """How many ended before their leader did. Those that `Succeeded` did nothing (no device, no signature).

        Where idle ones are ended, only the dead count.
        """
        if self.run.ends_idle_workers:
            return self.dead_workers
        return sum(phase(pod) in {"Failed", "Succeeded"} for pod in self.workers)
