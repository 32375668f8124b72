"""The service's HTTP face. It speaks plain HTTP; who runs it adds TLS."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.sandbox.attestation.service import Answer, Service
from ppmlctl.sandbox.attestation.store import Store
from ppmlctl.sandbox.ehsm import make_app as make_ehsm
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.quote_route import quote_route
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.storage import StorageError

HOST = "attestation.sandbox"
_LARGEST_BODY = 1 << 23  # bytes
_NOWHERE = Answer(404, "The requested resource could not be found.")
_WRONG_METHOD = Answer(405, "HTTP method not allowed, supported methods: GET, POST")
_TOO_LARGE = Answer(413, "Request too large")


def make_app(state_folder: Path, *, clock: Callable[[], float] = time.time, flaws: Flaws | None = None) -> Starlette:
    """A service alone, with a platform of its own, of which it gives quotes (see `quote_route`)."""
    state_folder.mkdir(parents=True, exist_ok=True)
    quoting = Quoting(state_folder, clock, flaws or Flaws())
    return Starlette(routes=[quote_route(quoting), Mount("/", app=_endpoint(state_folder, quoting))])


def beside_ehsm(state_folder: Path) -> Starlette:
    """An EHSM which, asked by the name HOST, is the attestation service; both know the same platform."""
    state_folder.mkdir(parents=True, exist_ok=True)
    quoting = Quoting(state_folder, time.time)
    ehsm = make_ehsm(state_folder, quoting=quoting)
    return Starlette(routes=[Host(HOST, app=_endpoint(state_folder, quoting)), Mount("/", app=ehsm)])


def _endpoint(state_folder: Path, quoting: Quoting) -> ASGIApp:
    return _Endpoint(Service(Store(state_folder / "attestation.sqlite"), quoting))


class _Endpoint:
    """Every path and method: the service's framework has words of its own for what it does not serve."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST_BODY:
                break
        try:
            answer = _TOO_LARGE if len(body) > _LARGEST_BODY else await run_in_threadpool(self._answer, request, body)
        except StorageError as error:
            answer = Answer(500, str(error))
        await PlainTextResponse(answer.text, answer.status)(scope, receive, send)

    def _answer(self, request: Request, body: bytearray) -> Answer:
        if request.method == "GET":
            return self._service.get(request.url.path) or _NOWHERE
        if request.method == "POST":
            return self._service.post(request.url.path, bytes(body)) or _NOWHERE
        return _WRONG_METHOD
