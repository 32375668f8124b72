"""Ends the connection of a call after a time, whatever is being waited for then: libraries count from each byte."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import urllib3

_current = threading.local()


class Watch:
    """One call. Says afterwards whether it was ended."""

    def __init__(self, seconds: float) -> None:
        self.is_late = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _current.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _current.watch = None

    def notice(self, connection: Any) -> None:
        """Takes note of the socket that the call uses now."""
        if isinstance(connection, socket.socket):
            self._socket = connection
            if self.is_late:  # while there was no connection yet that could be ended
                self._shut()

    def _end(self) -> None:
        self.is_late = True
        self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not TLS's own shutdown, which another thread may be in the middle of reading for.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Watched:
    """Before a connection class of urllib3: tells the watch of this thread which socket is used."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _notice(self.sock)

    def getresponse(self) -> Any:
        _notice(self.sock)
        return super().getresponse()  # type: ignore[misc]


def watch_answer(watch: Watch, answer: Any) -> None:
    """Lets the watch end an answer whose head is there, over whatever kind of connection."""
    watch.notice(getattr(getattr(answer, "connection", None), "sock", None))


def watch_connections(manager: urllib3.PoolManager) -> None:
    """Lets connections that the manager opens from now on be ended by a Watch."""
    if getattr(manager, "is_watched", False):
        return
    manager.is_watched = True  # type: ignore[attr-defined]
    pools: dict[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": type("Connection", (_Watched, pool.ConnectionCls), {})})
        for scheme, pool in pools.items()
    }


def _notice(connection: Any) -> None:
    watch = getattr(_current, "watch", None)
    if watch is not None:
        watch.notice(connection)
