"""Follows one object until a condition holds: by watch, and by reading anew where a watch cannot go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.clients.kubernetes import answers, requests
from ppmlctl.clients.kubernetes.resources import Resource
from ppmlctl.clients.kubernetes.transport import Transport
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.foreign_json import parse_foreign
from ppmlctl.kubernetes.objects import Manifest, ObjectKey

_WATCH_SECONDS = 10
"""A watch goes on in slices of this length: so long may a stop, or a connection that died silently, go unnoticed."""
_GRACE_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_EVENTS = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})


class WaitStoppedError(EngineError):
    """The user asked to stop before the condition held."""


@dataclass(frozen=True)
class Condition:
    """What is waited for: `holds` looks at the object (None: there is none), `text` says it in words."""

    text: str
    holds: Callable[[Manifest | None], bool]


@dataclass
class Wait:
    """One wait for one object."""

    transport: Transport
    resource: Resource
    key: ObjectKey
    until: Condition
    seconds: float
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds

    def run(self) -> Manifest | None:
        """The object when the condition holds. Outlives short faults of the server.

        Raises EngineError (k8s-timeout), or WaitStoppedError once `stopping` is set.
        """
        fault: TransientError | None = None
        while True:
            try:
                with closing(self._states()) as states:
                    for current in states:
                        fault = None
                        if self.until.holds(current):
                            return current
            except TransientError as error:
                fault = error
                # There is no condition to wait for while the server does not answer.
                self.stopping.wait(min(max(_PAUSE_SECONDS, error.retry_after), self._left()))
            if self.stopping.is_set():
                raise WaitStoppedError(self._diagnostic("k8s-wait-stopped", "a wait was stopped"))
            if not self._left():
                title = "a condition was not reached in time"
                raise fault or EngineError(self._diagnostic("k8s-timeout", title))

    def _states(self) -> Generator[Manifest | None]:
        """The object as it is now, then after each change, until the watch cannot go on or the time is over."""
        by_name = f"metadata.name={self.key.name}"
        request = requests.list_page(self.resource, self.key.namespace, field_selector=by_name)
        listing = answers.page(request, self.transport.send(request), self.transport.connection.context)
        whole = {"apiVersion": self.resource.api_version, "kind": self.resource.kind}  # items of a list carry neither
        yield next(({**whole, **item} for item in listing["items"]), None)
        version: str | None = listing["metadata"].get("resourceVersion")
        while version and self._left() and not self.stopping.is_set():
            version = yield from self._changes(version)

    def _changes(self, since: str) -> Generator[Manifest | None, None, str | None]:
        """The changes of one slice; returns the version from which to go on, None where that is too old."""
        seconds = max(1, min(_WATCH_SECONDS, int(self._left())))
        request = requests.watch(self.resource, self.key, since=since, seconds=seconds)
        with self.transport.lines(request, seconds + _GRACE_SECONDS) as lines:
            for line in lines:
                event = _event(line)
                if event is None:
                    return None
                since = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    yield None if event["type"] == "DELETED" else event["object"]
        return since

    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _diagnostic(self, code: str, title: str) -> Diagnostic:
        return Diagnostic(code, title, found=f"{self.key}: not after {self.seconds:g} s: {self.until.text}")


def _event(line: bytes) -> dict[str, Any] | None:
    """An event with a whole object of some version; None for the server's word that the watch cannot go on."""
    try:
        event: dict[str, Any] = parse_foreign(line)
        if event["type"] == "ERROR":
            return None
        if event["type"] in _EVENTS and isinstance(event["object"]["metadata"]["resourceVersion"], str):
            return event
    except (ValueError, TypeError, LookupError):
        pass
    raise TransientError(
        Diagnostic("k8s-unavailable", "the API server cannot answer now", found="a watch gave no event")
    )
