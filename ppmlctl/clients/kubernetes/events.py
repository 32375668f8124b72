"""What the cluster reports about an object: why a pod does not start, what a Job made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ppmlctl.kubernetes.objects import Manifest


@dataclass(frozen=True)
class Event:
    """One report. `seen` is the time of its last occurrence (RFC 3339)."""

    type: str
    reason: str
    message: str
    count: int
    seen: str


def events_in(manifests: Iterable[Manifest]) -> list[Event]:
    """Events by time, oldest first."""
    return sorted((_event(manifest) for manifest in manifests), key=lambda event: (event.seen, event.reason))


def _event(manifest: Manifest) -> Event:
    created = manifest["metadata"].get("creationTimestamp")
    count = manifest.get("count")
    return Event(
        type=str(manifest.get("type") or "Normal"),
        reason=str(manifest.get("reason") or ""),
        message=str(manifest.get("message") or ""),
        count=count if isinstance(count, int) and count else 1,
        seen=str(manifest.get("lastTimestamp") or manifest.get("eventTime") or created or ""),
    )
