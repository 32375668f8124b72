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
    seen = manifest.get("lastTimestamp") or manifest.get("eventTime") or manifest["metadata"]["creationTimestamp"]
    return Event(
        type=manifest.get("type") or "Normal",
        reason=manifest.get("reason") or "",
        message=manifest.get("message") or "",
        count=manifest.get("count") or 1,
        seen=seen or "",
    )
