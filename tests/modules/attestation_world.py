"""An embedded attestation service over TLS, and contexts whose engines lead to it, for the tests of its modules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ehsm_world import Switchboard, World
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.clients.attestation import AttestationClient, ServerTrust
from ppmlctl.effects import Effect, Effects
from ppmlctl.modules.context import AttestationServer, Context
from ppmlctl.sandbox.attestation import make_app
from ppmlctl.sandbox.ehsm import Flaws
from ppmlctl.sandbox.ehsm.quoting import Quoting

URL = "https://attestation.sandbox:9875"
SERVER = {"url": URL}


@dataclass
class AttestationWorld(World):
    """A fresh service, and one task at a time against it."""

    trust: ServerTrust | None = None
    """Instead of what the server's arguments say."""
    effects: Effects = field(default_factory=lambda: Effects("attestation", writes_allowed=True))

    def service(self) -> ASGIApp:
        return make_app(self.folder, flaws=self.flaws)

    def attestation(self, server: AttestationServer) -> AttestationClient:
        trust = self.trust or ServerTrust(ca=self.board.certificates.ca, insecure=server.insecure)
        place = ("127.0.0.1", self.board.port)
        return self.clients.enter_context(AttestationClient(server.url, self.effects, trust=trust, connect_to=place))

    @property
    def quoting(self) -> Quoting:
        """The platform whose quotes the service takes for genuine."""
        return Quoting(self.folder, time.time, self.flaws)

    @property
    def writes(self) -> int:
        return self.effects.count(Effect.WRITE)

    def forget(self) -> None:
        """The service loses its accounts and policies, as the real one does without a data folder."""
        for path in self.folder.glob("attestation.sqlite*"):
            path.unlink()
        self.__post_init__()


@contextmanager
def world_of(
    board: Switchboard, folder: Path, make_context: Callable[..., Context], flaws: Flaws | None = None, **options: Any
) -> Iterator[AttestationWorld]:
    """A world whose clients are closed with the block."""
    warnings: list[str] = []
    context = make_context(warnings=warnings, **options)
    world = AttestationWorld(board, folder, context, {}, warnings, flaws=flaws)
    with world.clients:
        yield world


async def unavailable(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A gateway that has nobody behind it."""
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})
