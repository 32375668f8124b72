"""Whether a live object is what it shall become, as its controller says. Pure.

Source: `kubectl rollout status` (kubectl/pkg/polymorphichelpers/rollout_status.go) for what rolls out; the API's
conditions for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READY_KINDS: Mapping[str, str] = {
    "DaemonSet": "every node's pod is of the present template and ready",
    "Deployment": "every replica is of the present template and available",
    "Job": "it is complete",
    "PersistentVolumeClaim": "it is bound",
    "Pod": "it is ready, or has succeeded",
    "StatefulSet": "every replica is of the present template and ready",
}
"""The kinds that tell when they are ready, and what that means."""


def is_ready(live: Mapping[str, Any]) -> bool:
    """Whether an object of one of READY_KINDS is ready. A status of an older generation says nothing."""
    spec, status = live.get("spec") or {}, live.get("status") or {}
    if status.get("observedGeneration", live["metadata"].get("generation")) != live["metadata"].get("generation"):
        return False
    wanted = spec.get("replicas", 1)
    match live["kind"]:
        case "Deployment":
            return _counts(status, "replicas", "updatedReplicas", "availableReplicas") == [wanted] * 3
        case "StatefulSet":
            current = status.get("currentRevision") == status.get("updateRevision")
            return current and _counts(status, "replicas", "readyReplicas") == [wanted] * 2
        case "DaemonSet":
            nodes = status.get("desiredNumberScheduled")
            return _counts(status, "updatedNumberScheduled", "numberReady") == [nodes] * 2
        case "Job":
            return has_condition(live, "Complete")
        case "Pod":
            return status.get("phase") == "Succeeded" or has_condition(live, "Ready")
    return status.get("phase") == "Bound"


def has_condition(live: Mapping[str, Any], kind: str) -> bool:
    """Whether a condition in the object's status is True."""
    conditions = (live.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == kind and one.get("status") == "True" for one in conditions)


def _counts(status: Mapping[str, Any], *names: str) -> list[int]:
    return [status.get(name, 0) for name in names]
