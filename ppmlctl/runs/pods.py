"""The pods of one run: which is the driver, which are its executors, and how many of them are up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ppmlctl.kubernetes.pod_state import Pod, phase
from ppmlctl.spark.submission import Submission, driver_name


@dataclass(frozen=True)
class Pods:
    """The pods of one run, as they are now."""

    submission: Submission
    all: Sequence[Pod]

    @cached_property
    def driver(self) -> Pod | None:
        """The driver's own pod; None where the driver runs in the client, or is not there (yet)."""
        wanted = driver_name(self.submission.name)
        return next((pod for pod in self.all if pod["metadata"]["name"] == wanted), None)

    @cached_property
    def executors(self) -> list[Pod]:
        """By their numbers, as Spark gives them."""
        found = [pod for pod in self.all if _label(pod, "spark-role") == "executor"]
        return sorted(found, key=lambda pod: int(_label(pod, "spark-exec-id") or 0))

    @cached_property
    def submitters(self) -> list[Pod]:
        """Pods of the Job, oldest first."""
        found = [pod for pod in self.all if _label(pod, "job-name") == self.submission.name]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    @property
    def running_executors(self) -> int:
        """How many are up."""
        return sum(phase(pod) == "Running" for pod in self.executors)

    @property
    def dead_executors(self) -> int:
        """How many died; Spark replaces each of them, for ever."""
        return sum(phase(pod) == "Failed" for pod in self.executors)

    @property
    def ended_executors(self) -> int:
        """How many ended before their driver did. Those that `Succeeded` did nothing (no device, no signature).

        With dynamic allocation Spark ends idle ones, so there only the dead count.
        """
        if self.submission.conf.get("spark.dynamicAllocation.enabled", "").lower() == "true":
            return self.dead_executors
        return sum(phase(pod) in {"Failed", "Succeeded"} for pod in self.executors)


def _label(pod: Pod, name: str) -> str | None:
    return (pod["metadata"].get("labels") or {}).get(name)
