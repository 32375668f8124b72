"""Objects that hold data or other objects, so that no plan takes them away on its own account.

This is a decision of ours and no answer of the server's. Source of what a deletion takes along: Kubernetes,
"Namespaces", "Custom Resources", "Persistent Volumes", "StatefulSets".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HOLD_DATA = frozenset({"PersistentVolume", "PersistentVolumeClaim"})
"""Kinds that stay where their environment goes."""
_HELD: Mapping[str, str] = {
    "CustomResourceDefinition": "all objects of its kind",
    "Namespace": "everything in it",
    "PersistentVolume": "its data",
    "PersistentVolumeClaim": "its data",
}


def held_by(kind: str, manifest: Mapping[str, Any] | None = None) -> str:
    """What goes where an object of this kind goes, in words; empty where that is no more than itself."""
    if kind == "StatefulSet" and manifest is not None and (manifest.get("spec") or {}).get("volumeClaimTemplates"):
        return "its pods, and where it says so its claims with their data"
    return _HELD.get(kind, "")


def is_released(live: Mapping[str, Any]) -> bool:
    """Whether a volume keeps its data for a claim that is gone, so that as an object it serves nobody any more."""
    retains = (live.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain"
    return live["kind"] == "PersistentVolume" and retains and (live.get("status") or {}).get("phase") == "Released"


def goes_by_itself(manifest: Mapping[str, Any]) -> bool:
    """Whether the cluster takes the object away once it has ended: a Job with ttlSecondsAfterFinished."""
    spec = manifest.get("spec")
    seconds = spec.get("ttlSecondsAfterFinished") if isinstance(spec, Mapping) else None
    return manifest.get("kind") == "Job" and seconds is not None
