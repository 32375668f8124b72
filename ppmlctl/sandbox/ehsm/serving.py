"""Runs the service over TLS in this process, for as long as a block lasts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from ppmlctl.sandbox.tls import SandboxCertificates


@contextmanager
def served(app: ASGIApp, certificates: SandboxCertificates, address: str = "127.0.0.1") -> Iterator[int]:
    """Gives the port on which `app` answers. Connections are taken from the first moment, and ended with the block."""
    config = uvicorn.Config(
        app,
        ssl_certfile=certificates.certificate,
        ssl_keyfile=str(certificates.key),
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    # asyncio switches Nagle's delay (40 ms an answer) off only where the protocol is named.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind((address, 0))
        listening.listen()
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox EHSM")
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
