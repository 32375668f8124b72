"""Which requests the sandbox got, one JSON line each, without bodies: tests count writes by it."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ppmlctl.files import PRIVATE

LARGEST = 1 << 24
"""Bytes of a log."""


def shorten(log: int) -> None:
    """Begins the log of a descriptor that appends anew where it is large: whoever asks much fills no disk."""
    status = os.fstat(log)
    if stat.S_ISREG(status.st_mode) and status.st_size > LARGEST:
        os.ftruncate(log, 0)


class RequestLog:
    """ASGI middleware that appends to `requests.jsonl` when an answer begins.

    A line holds `service`, `method`, `path`, `dry_run`, `status`, and for EHSM `action`; no other part of the query.
    """

    def __init__(self, app: ASGIApp, service: str, path: Path) -> None:
        self._app = app
        self._service = service
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                shorten(self._file)
                with suppress(OSError):  # a full disk keeps nobody from the answer
                    os.write(self._file, self._line(scope, message["status"]))
            await send(message)

        await self._app(scope, receive, noting)

    def _line(self, scope: Scope, status: int) -> bytes:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        entry = {"service": self._service, "method": scope["method"], "path": scope["path"]}
        action = {"action": query["Action"][0]} if "Action" in query else {}
        line = entry | action | {"dry_run": "All" in query.get("dryRun", []), "status": status}
        return json.dumps(line).encode() + b"\n"
