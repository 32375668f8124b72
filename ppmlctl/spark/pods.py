"""What the pods of one run say of it: which is the driver, how far it is, and whether it will ever get further."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ppmlctl.spark.submission import Submission, driver_name

Pod = Mapping[str, Any]

_HOPELESS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons for waiting that a run does not outlive: somebody has to mend something."""


HOPELESS_SECONDS = 15.0
"""Somebody may mend it just now; the scheduler and the kubelet look again within this time."""
_CROWDED_SECONDS = 300.0


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


def phase(pod: Pod) -> str:
    """`Pending`, `Running`, `Succeeded`, `Failed`; `Unknown` where nothing is said."""
    return str((pod.get("status") or {}).get("phase") or "Unknown")


def waiting_reason(pod: Pod) -> str:
    """Why it does not run yet: the scheduler's words, or its container's; empty where nothing holds it up."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}".strip(": ")
    for container in status.get("containerStatuses") or ():
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            return f"{waiting['reason']}: {waiting.get('message', '')}".strip(": ")
    return ""


def patience(pod: Pod) -> float | None:
    """Seconds for which a pod may wait as it does; None where nothing holds it up.

    An image, a secret's key and a node's EPC do not come by waiting; room on a node does, when others end.
    """
    reason, _, message = waiting_reason(pod).partition(":")
    if phase(pod) != "Pending" or not (reason == "Unschedulable" or reason in _HOPELESS):
        return None
    return _CROWDED_SECONDS if reason == "Unschedulable" and "sgx.intel.com/" not in message else HOPELESS_SECONDS


def end_of(pod: Pod) -> str:
    """How it ended, in words."""
    status = pod.get("status") or {}
    if status.get("reason"):
        return f"{status['reason']}: {status.get('message', '')}".strip(": ")
    ends = [
        container["state"]["terminated"]
        for container in status.get("containerStatuses") or ()
        if "terminated" in container.get("state", {})
    ]
    told = [f"{end.get('reason', 'ended')}, exit code {end.get('exitCode')} {end.get('message', '')}" for end in ends]
    return "; ".join(one.strip() for one in told) or phase(pod)


def failed_mounts(messages: Iterable[str], ours: str) -> list[str]:
    """Messages of FailedMount events but those about the object `ours`, which is made only after the pod."""
    kept = [message for message in messages if not re.search(rf'"{re.escape(ours)}"', message)]
    return [message for message in dict.fromkeys(kept) if "timed out waiting for the condition" not in message]


def _label(pod: Pod, name: str) -> str | None:
    return (pod["metadata"].get("labels") or {}).get(name)
