"""An embedded EHSM over TLS, and contexts whose engines lead to it, for the tests of the modules about EHSM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.clients.pccs import PccsClient
from ppmlctl.effects import Effects
from ppmlctl.modules.base import Module
from ppmlctl.modules.context import Context, EhsmServer, PccsServer
from ppmlctl.planning import ABSENT, Change, Observed, Recorded, Wanted
from ppmlctl.sandbox.ehsm import Flaws, make_app
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

URL = "https://ehsm.sandbox:9000"
SERVER = {"url": URL}


class Switchboard:
    """One listening server whose app each test chooses."""

    def __init__(self, certificates: SandboxCertificates) -> None:
        self.certificates = certificates
        self.app: ASGIApp | None = None
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)


@contextmanager
def switchboard(folder: Path) -> Iterator[Switchboard]:
    """Listens until the block ends."""
    board = Switchboard(ensure_certificates(folder))
    with served(board, board.certificates) as board.port:
        yield board


@dataclass
class World:
    """A fresh EHSM, and one task at a time against it."""

    board: Switchboard
    folder: Path
    context: Context
    recorded: dict[str, Recorded]
    warnings: list[str]
    writes_allowed: bool = True
    flaws: Flaws | None = None
    pccs_port: int | None = None
    """Where the PCCS is instead of the service itself."""
    answers: dict[str, Callable[[], Mapping[str, Any]]] = field(default_factory=dict)
    """Actions that are answered by the test instead of the service."""
    clients: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        service = self.service()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            answer = self.answers.get(Request(scope).query_params.get("Action", ""))
            await (JSONResponse(answer()) if answer else service)(scope, receive, send)

        self.board.app = app
        engines: Any = self  # the one engine that these modules use
        self.context = replace(self.context, engines=engines, recorded=self.recorded)

    def service(self) -> ASGIApp:
        return make_app(self.folder, flaws=self.flaws)

    def ehsm(self, server: EhsmServer) -> EhsmClient:
        trust = ServerTrust(insecure=True) if server.insecure else ServerTrust(ca=self.board.certificates.ca)
        effects = Effects("ehsm", writes_allowed=self.writes_allowed)
        client = EhsmClient(server.url, effects, trust=trust, connect_to=("127.0.0.1", self.board.port))
        return self.clients.enter_context(client)

    def pccs(self, server: PccsServer) -> PccsClient:
        """The service itself is a PCCS as well."""
        place = ("127.0.0.1", self.pccs_port or self.board.port)
        effects = Effects("pccs", writes_allowed=self.writes_allowed)
        return self.clients.enter_context(
            PccsClient(server.url, effects, ca=self.board.certificates.ca, connect_to=place)
        )

    def sent(self) -> list[str]:
        """The actions that reached the service."""
        log = self.folder / "requests.jsonl"
        return [json.loads(line)["action"] for line in log.read_text().splitlines()] if log.exists() else []

    def task(self, module: Module[Any, Any], address: str, **arguments: Any) -> Task:
        return Task(self, module, address, arguments)


@dataclass
class Task:
    """Takes one task through observe, diff and apply as the engine does."""

    world: World
    module: Module[Any, Any]
    address: str
    arguments: dict[str, Any]

    @property
    def context(self) -> Context:
        return replace(self.world.context, address=self.address)

    def wanted(self) -> Wanted:
        args = self.module.Args.model_validate(self.arguments)
        return Wanted(self.address, args, self.module.fingerprint(args, bytes.hex))

    def observe(self) -> Observed:
        return self.module.observe(self.context, [self.wanted()]).get(self.address, ABSENT)

    def plan(self) -> Change:
        return self.module.diff(self.wanted(), self.observe(), self.world.recorded.get(self.address))

    def apply(self, *, record: bool = True, rotating: bool = False) -> Any:
        """Without `record`, as if the process had been killed just before."""
        wanted = self.wanted()
        result = self.module.apply(replace(self.context, rotating=rotating), wanted.args, self.observe())
        fields = {name: getattr(result, name) for name in type(result).model_fields if name != "evidence"}
        if record:
            entry = Recorded(self.module.kind, wanted.inputs, fields, evidence=result.evidence)
            self.world.recorded[self.address] = entry
            intents: Any = self.context.intents
            intents.kept.pop(self.address, None)
        return result

    def with_(self, **changes: Any) -> Task:
        return replace(self, arguments={**self.arguments, **changes})


@contextmanager
def world_of(
    board: Switchboard, folder: Path, make_context: Callable[..., Context], flaws: Flaws | None = None, **options: Any
) -> Iterator[World]:
    """A world whose clients are closed with the block."""
    recorded: dict[str, Recorded] = {}
    warnings: list[str] = []
    context = make_context(warnings=warnings, **options)
    world = World(board, folder, context, recorded, warnings, flaws=flaws)
    with world.clients:
        yield world
