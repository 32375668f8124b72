"""Watches: what changes, told as it happens to a client that selects some of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ppmlctl.sandbox.kubernetes.hub import Change, Feed
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.selectors import Selection
from ppmlctl.sandbox.kubernetes.status import ApiError


@dataclass(frozen=True)
class Watch:
    """What a client watches. `revision` is where it stands; None asks for what exists first."""

    kind: Kind
    namespace: str | None
    selection: Selection
    revision: int | None
    timeout: float
    """Seconds after which the watch ends by itself."""


Rendered: TypeAlias = Callable[[Json], Json]


async def stream(objects: Objects, watch: Watch, rendered: Rendered) -> AsyncIterator[bytes]:
    """One JSON line per event until the time is over or the server ends."""
    with objects.hub.feed() as feed:
        try:
            for event, obj in _first(objects, watch):
                yield _line(event, rendered(obj))
        except ApiError as error:
            yield _line("ERROR", error.as_status())
            return
        try:
            async with asyncio.timeout(watch.timeout):
                async for event, obj in _later(feed, watch):
                    yield _line(event, rendered(obj))
        except TimeoutError:
            return


def _first(objects: Objects, watch: Watch) -> Iterator[tuple[str, Json]]:
    if watch.revision:
        told = (event_of(change, watch) for change in objects.hub.since(watch.revision))
        yield from (event for event in told if event is not None)
        return
    existing = objects.store.list(watch.kind, watch.namespace)
    yield from (("ADDED", obj) for obj in existing if watch.selection.admits(obj))


async def _later(feed: Feed, watch: Watch) -> AsyncIterator[tuple[str, Json]]:
    while (change := await feed.get()) is not None:
        if found := event_of(change, watch):
            yield found


def event_of(change: Change, watch: Watch) -> tuple[str, Json] | None:
    """What a change is to this watch: an object that begins or ceases to be selected is added or deleted to it."""
    if change.kind is not watch.kind or not change.is_in(watch.namespace):
        return None
    was = change.before is not None and watch.selection.admits(change.before)
    if change.after is not None and watch.selection.admits(change.after):
        return "MODIFIED" if was else "ADDED", change.after
    if was and change.before is not None:
        revision = {"resourceVersion": str(change.revision)}
        return "DELETED", {**change.before, "metadata": {**change.before["metadata"], **revision}}
    return None


def _line(event: str, obj: Json) -> bytes:
    return json.dumps({"type": event, "object": obj}, separators=(",", ":")).encode() + b"\n"
