"""Objects that hold data or other objects, so that no plan takes them away on its own account.

This is a decision of ours and no answer of the server's; what they hold is. Source of what a deletion takes along:
Kubernetes, "Namespaces", "Custom Resources", "Persistent Volumes", "StatefulSets", "Garbage Collection".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

HOLD_DATA = frozenset({"PersistentVolume", "PersistentVolumeClaim"})
"""Kinds that stay where their environment goes."""
TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
"""Secrets of this type are filled by the cluster itself, and can be filled anew."""
_HELD: Mapping[str, str] = {
    "CustomResourceDefinition": "all objects of its kind",
    "Namespace": "everything in it",
    "PersistentVolume": "its data",
    "PersistentVolumeClaim": "its data",
}


def held_by(live: Mapping[str, Any], declared: Collection[str] = (), claims: Iterable[str] = ()) -> str:
    """What goes where this object goes, in words; empty where that is no more than itself.

    `declared`: the keys of a Secret that are ours. `claims`: the names of the claims that it owns.
    """
    kind = str(live["kind"])
    if kind == "StatefulSet" and (live.get("spec") or {}).get("volumeClaimTemplates"):
        return "its pods, and where it says so its claims with their data"
    if kind == "Secret":
        others = _keys_of_others(live, declared)
        return f"what others keep in it: {', '.join(others)}" if others else ""
    owned = sorted(claims)
    return _HELD.get(kind) or (f"the data of its claims: {', '.join(owned)}" if owned else "")


def _keys_of_others(live: Mapping[str, Any], declared: Collection[str]) -> list[str]:
    if live.get("type") == TOKEN_TYPE:
        return []
    return sorted(key for key in live.get("data") or {} if key not in declared)


def may_own_claims(api_version: str) -> bool:
    """Whether objects of this group may be what the data of claims goes with: StatefulSets, and kinds of others."""
    group = api_version.rpartition("/")[0]
    return group == "apps" or ("." in group and not group.endswith(".k8s.io"))


def is_released(live: Mapping[str, Any]) -> bool:
    """Whether a volume keeps its data for a claim that is gone, so that as an object it serves nobody any more."""
    retains = (live.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain"
    return live["kind"] == "PersistentVolume" and retains and (live.get("status") or {}).get("phase") == "Released"


def goes_by_itself(manifest: Mapping[str, Any]) -> bool:
    """Whether the cluster takes the object away once it has ended: a Job with ttlSecondsAfterFinished."""
    spec = manifest.get("spec")
    seconds = spec.get("ttlSecondsAfterFinished") if isinstance(spec, Mapping) else None
    return manifest.get("kind") == "Job" and seconds is not None
