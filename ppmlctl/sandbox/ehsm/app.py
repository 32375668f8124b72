"""The service's HTTP face: bodies, paths and the two HTML errors of the framework that the real service is built on."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from ppmlctl.sandbox.ehsm.access_log import AccessLog
from ppmlctl.sandbox.ehsm.answers import Answer
from ppmlctl.sandbox.ehsm.database import Database
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.pccs import pccs_routes
from ppmlctl.sandbox.ehsm.quote_route import quote_route
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.release import Release
from ppmlctl.sandbox.ehsm.service import Call, Service
from ppmlctl.sandbox.storage import StorageError

_LARGEST_BODY = 100 * 1024  # bytes
_LONGEST_INTEGER = 400  # digits: beyond every double


def make_app(
    state_folder: Path,
    *,
    clock: Callable[[], float] = time.time,
    release: Release | None = None,
    flaws: Flaws | None = None,
    quoting: Quoting | None = None,
) -> Starlette:
    """An EHSM whose accounts, policies and quoting keys live in a folder and survive a restart.

    It speaks plain HTTP; who runs it adds TLS. Beside the protocol it serves what verifies its quotes, as a PCCS does,
    and quotes for workloads that run without the hardware (see `quote_route`). It logs each request of the protocol,
    without secrets, to `requests.jsonl`. `quoting`: its platform, where others know it as well.
    """
    state_folder.mkdir(parents=True, exist_ok=True)
    quoting = quoting or Quoting(state_folder, clock, flaws or Flaws())
    service = Service(Database(state_folder / "ehsm.sqlite"), quoting, clock, release or Release())
    endpoint = _Endpoint(service, AccessLog(state_folder / "requests.jsonl"))
    return Starlette(routes=[*pccs_routes(quoting), quote_route(quoting), Mount("/", app=endpoint)])


class _TooLargeError(Exception):
    """A body beyond the limit."""


class _Endpoint:
    """Every path and method, since the service's parameter check comes before its routes."""

    def __init__(self, service: Service, log: AccessLog) -> None:
        self._service = service
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        actions = request.query_params.getlist("Action")
        action = actions[0] if len(actions) == 1 else ""
        try:
            body = _json_body(request, await _read(request))
        except _TooLargeError:
            return HTMLResponse(_page("PayloadTooLargeError: request entity too large"), 413)
        except (ValueError, RecursionError):
            return JSONResponse(Answer.refused("Invalid JSON").body())
        call = Call("GET" if request.method == "HEAD" else request.method, action, body)
        answer = await run_in_threadpool(self._answer, call, request.url.path)
        if answer is None:
            return HTMLResponse(_page(f"Cannot {request.method} {request.url.path}"), 404)
        return JSONResponse(answer.body())

    def _answer(self, call: Call, path: str) -> Answer | None:
        try:
            answer = self._done(call, path)
        except StorageError as error:
            answer = Answer.refused(str(error), 500)
        self._log.write(call.action, call.body, answer.code if answer else 404, self._service.now())
        return answer

    def _done(self, call: Call, path: str) -> Answer | None:
        checked = self._service.check(call)
        if isinstance(checked, Answer):
            return checked
        is_served = path.lower().removesuffix("/") == "/ehsm" and call.method in ("GET", "POST")
        return self._service.act(call, checked) if is_served else None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise _TooLargeError
    return bytes(body)


def _json_body(request: Request, raw: bytes) -> Any:
    """The body, or an empty object for another media type. Raises ValueError for what is no JSON object or array."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or not raw:
        return {}
    text = raw.decode("utf-8", "replace")
    try:
        body = json.loads(text, parse_constant=_no_json, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(body, dict | list):
        raise ValueError("neither object nor array")  # noqa: TRY004 - one kind of fault for the caller
    return body


def _no_json(_constant: str) -> Any:
    raise ValueError("a constant that JSON does not have")


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < _LONGEST_INTEGER else float(digits)


def _page(text: str) -> str:
    return f"<!DOCTYPE html><html><head><title>Error</title></head><body><pre>{html.escape(text)}</pre></body></html>"
