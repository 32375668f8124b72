"""What holds an object that is being deleted and does not go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MEANINGS: Mapping[str, str] = {
    "foregroundDeletion": "what it owns is not gone yet",
    "kubernetes.io/pv-protection": "a claim is still bound to it",
    "kubernetes.io/pvc-protection": "a pod still uses it",
    "orphan": "what it owns is still being released",
}


def holds(live: Mapping[str, Any]) -> Iterator[str]:
    """Each finalizer, with what the well-known ones mean; of a namespace also what its controller says is left in it.

    Source: kubernetes, "Finalizers"; the condition types of a terminating namespace (core/v1, NamespaceConditionType).
    """
    for finalizer in live["metadata"].get("finalizers") or ():
        meaning = _MEANINGS.get(finalizer)
        yield f"finalizer {finalizer}{f': {meaning}' if meaning else ''}"
    for condition in (live.get("status") or {}).get("conditions") or ():
        if live["kind"] == "Namespace" and condition.get("status") == "True":
            yield str(condition.get("message"))
