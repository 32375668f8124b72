"""The recent changes, and those who wait for more of them. For one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.status import expired

KEPT = 4096


@dataclass(frozen=True)
class Change:
    """One write: the object before (None: created) and after it (None: deleted)."""

    kind: Kind
    revision: int
    before: Json | None
    after: Json | None

    @property
    def subject(self) -> Json:
        """The object after the write, or as it was when it ended."""
        subject = self.after or self.before
        assert subject is not None  # noqa: S101 - a change has one side at least
        return subject

    def is_in(self, namespace: str | None) -> bool:
        return namespace is None or self.subject["metadata"].get("namespace") == namespace


Feed: TypeAlias = asyncio.Queue[Change | None]


class Hub:
    """Hands every change to all feeds; a feed's None says that no more will come."""

    def __init__(self, revision: int) -> None:
        """Starts at the revision that the store has now; changes before it are not known."""
        self._floor = revision
        self._recent: deque[Change] = deque(maxlen=KEPT)
        self._feeds: set[Feed] = set()
        self._closed = False

    def publish(self, change: Change) -> None:
        """Tells everyone of a change."""
        if len(self._recent) == KEPT:
            self._floor = self._recent[0].revision
        self._recent.append(change)
        for feed in self._feeds:
            feed.put_nowait(change)

    def since(self, revision: int) -> list[Change]:
        """The changes after a revision. Raises ApiError (Expired) where they are no longer known."""
        if revision < self._floor:
            raise expired(revision)
        return [change for change in self._recent if change.revision > revision]

    @contextmanager
    def feed(self) -> Iterator[Feed]:
        """All changes from now on."""
        feed: Feed = asyncio.Queue()
        if self._closed:
            feed.put_nowait(None)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def close(self) -> None:
        """Ends every feed, now and later."""
        self._closed = True
        for feed in self._feeds:
            feed.put_nowait(None)
