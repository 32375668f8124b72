"""Sends requests over one connection, through the effects' gate, and turns what goes wrong into errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import urllib3

from ppmlctl.clients.kubernetes.faults import no_api, refusal, unreachable
from ppmlctl.clients.kubernetes.kubeconfig import Connection
from ppmlctl.clients.kubernetes.requests import Request
from ppmlctl.effects import Effects

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0


class Transport:
    """The way to the API server. It never repeats a call by itself: who may repeat what is the engine's decision."""

    def __init__(self, connection: Connection, effects: Effects) -> None:
        self.connection = connection
        self._effects = effects

    def send(self, request: Request) -> dict[str, Any]:
        """The JSON answer. Raises EngineError, TransientError, WriteRefusedError."""
        body = self._body(request)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise no_api(request, self.connection.context)
        return answer

    def text(self, request: Request) -> str:
        """The answer as text; what is not UTF-8 is replaced."""
        return self._body(request).decode(errors="replace")

    @contextmanager
    def lines(self, request: Request, seconds: float) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that keeps coming, until the server ends it or nothing came for `seconds`."""
        with self._effects.operation(request.effect, request.name), self._faults(request):
            response = self._open(request, seconds)
            try:
                yield iter(response)
            finally:
                response.close()

    def _body(self, request: Request) -> bytes:
        with self._effects.operation(request.effect, request.name), self._faults(request):
            response = self._open(request, READ_SECONDS)
            try:
                return response.data
            finally:
                response.release_conn()

    def _open(self, request: Request, seconds: float) -> urllib3.BaseHTTPResponse:
        headers = self.connection.credentials()
        headers.update({"Accept": "application/json, */*", "User-Agent": "ppmlctl"})
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        response = self.connection.pool.request(
            request.method,
            f"{self.connection.server}{request.url}",
            body=request.payload,
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            retry_after = _seconds(response.headers.get("Retry-After"))
            raise refusal(request, response.status, response.data, self.connection.context, retry_after=retry_after)
        return response

    @contextmanager
    def _faults(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(request, error, self.connection) from None


def _seconds(retry_after: str | None) -> float:
    """What the header asks to wait. The API server writes seconds; a date, which a proxy may write, counts as none."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
