"""Follows one object until a condition holds: by watch, and by reading anew where a watch ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from ppmlctl.clients.kubernetes import requests
from ppmlctl.clients.kubernetes.objects import Manifest, ObjectKey
from ppmlctl.clients.kubernetes.resources import Resource
from ppmlctl.clients.kubernetes.transport import Transport
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError

_WATCH_SECONDS = 300
"""A watch is renewed after this time, so that a connection that died silently is noticed."""
_GRACE_SECONDS = 10.0
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Condition:
    """What is waited for: `holds` looks at the object (None: there is none), `text` says it in words."""

    text: str
    holds: Callable[[Manifest | None], bool]


def wait_for(
    transport: Transport, resource: Resource, key: ObjectKey, until: Condition, seconds: float
) -> Manifest | None:
    """The object when the condition holds. Raises EngineError (k8s-timeout); outlives short faults of the server."""
    deadline = time.monotonic() + seconds
    last: TransientError | None = None
    while True:
        try:
            with closing(_states(transport, resource, key, deadline)) as states:
                for current in states:
                    last = None
                    if until.holds(current):
                        return current
        except TransientError as error:
            last = error
            # There is no condition to wait for while the server does not answer.
            threading.Event().wait(min(_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))
        if time.monotonic() >= deadline:
            raise last or _timeout(key, until, seconds)


def _states(transport: Transport, resource: Resource, key: ObjectKey, deadline: float) -> Generator[Manifest | None]:
    """The object as it is now, then after each change, until the watch ends."""
    listing = transport.send(requests.list_page(resource, key.namespace, field_selector=f"metadata.name={key.name}"))
    yield next(iter(listing["items"]), None)
    left = deadline - time.monotonic()
    if left <= 0:
        return
    seconds = max(1, min(_WATCH_SECONDS, int(left)))
    request = requests.watch(resource, key, since=listing["metadata"]["resourceVersion"], seconds=seconds)
    with transport.lines(request, seconds + _GRACE_SECONDS) as lines:
        for line in lines:
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            if event["type"] != "BOOKMARK":
                yield None if event["type"] == "DELETED" else event["object"]


def _timeout(key: ObjectKey, until: Condition, seconds: float) -> EngineError:
    title = "a condition was not reached in time"
    return EngineError(Diagnostic("k8s-timeout", title, found=f"{key}: not after {seconds:g} s: {until.text}"))
