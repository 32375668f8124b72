"""A listening socket that bounds what comes before any authentication."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

MOST_OPEN = 200
"""Connections of one service, also those whose TLS is not agreed yet: twice the files of both fit into 1024."""


HANDSHAKE_SECONDS = 10.0
"""For the whole of TLS's handshake, where asyncio would wait a minute."""


class BoundedLoop(asyncio.SelectorEventLoop):
    """Ends connections whose TLS is not agreed within HANDSHAKE_SECONDS; uvicorn has no setting for it."""

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        """As asyncio's own."""
        bound = {"ssl_handshake_timeout": HANDSHAKE_SECONDS} if options.get("ssl") else {}
        return await super().create_server(*arguments, **{**bound, **options})


class BoundedListener(socket.socket):
    """Gives the place of its oldest connection to a new one where there are MOST_OPEN: idle ones keep nobody out."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises ConnectionAbortedError, which asyncio passes over, where there are too many."""
        connection, address = super().accept()
        self._open = [one for one in self._open if one.fileno() >= 0]
        for oldest in self._open[: max(0, len(self._open) - MOST_OPEN + 1)]:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # whoever reads from it closes it
        if len(self._open) >= 2 * MOST_OPEN:
            connection.close()
            raise ConnectionAbortedError
        self._open.append(connection)
        return connection, address
