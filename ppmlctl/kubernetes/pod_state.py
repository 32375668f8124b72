"""What one pod says of itself: how far it is, how it ended, and whether it will ever get further."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

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
