"""Sends requests over one connection, through the effects' gate, and turns what goes wrong into errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import urllib3

from ppmlctl.clients.kubernetes.faults import beyond_limits, no_api, refusal, unreachable
from ppmlctl.clients.kubernetes.kubeconfig import Connection
from ppmlctl.clients.kubernetes.requests import Request
from ppmlctl.clients.watched import Watch, watch_connections
from ppmlctl.effects import Effects
from ppmlctl.foreign_json import LARGEST, parse_foreign

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""Of silence."""
WHOLE_SECONDS = 120.0
"""For a whole answer, but those that are followed while they grow."""
_LARGEST_REFUSAL = 1 << 20
_LONGEST_WAIT = 300.0
_PIECE = 1 << 16


class Transport:
    """The way to the API server, within bounds of time and size.

    It never repeats a call by itself: who may repeat what is the engine's decision.
    """

    whole_seconds = WHOLE_SECONDS

    def __init__(self, connection: Connection, effects: Effects) -> None:
        self.connection = connection
        self._effects = effects
        watch_connections(connection.pool)

    def send(self, request: Request) -> dict[str, Any]:
        """The JSON answer. Raises EngineError, TransientError, WriteRefusedError."""
        return self.sized(request)[0]

    def sized(self, request: Request) -> tuple[dict[str, Any], int]:
        """The JSON answer, and the bytes that it had."""
        body = self._body(request)
        try:
            answer = parse_foreign(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise no_api(request, self.connection.context)
        return answer, len(body)

    def text(self, request: Request) -> str:
        """The answer as text; what is not UTF-8 is replaced."""
        return self._body(request).decode(errors="replace")

    @contextmanager
    def lines(self, request: Request, seconds: float) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that keeps coming, until the server ends it or nothing came for `seconds`."""
        with self._effects.operation(request.effect, request.name), self._faults(request):
            with self._watched(request):
                response = self._open(request, seconds)
            try:
                yield self._lines(request, response)
            finally:
                response.close()

    def _body(self, request: Request) -> bytes:
        with self._effects.operation(request.effect, request.name), self._faults(request), self._watched(request):
            return self._content(request, self._open(request, READ_SECONDS), LARGEST)

    @contextmanager
    def _watched(self, request: Request) -> Iterator[None]:
        with Watch(self.whole_seconds) as watch:
            try:
                yield
            except (urllib3.exceptions.HTTPError, OSError):
                if watch.is_late:
                    words = f"the answer is not there after {self.whole_seconds:g} seconds"
                    raise beyond_limits(request, words, self.connection) from None
                raise

    def _content(self, request: Request, response: urllib3.BaseHTTPResponse, most: int) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()  # unpacked, a few bytes could fill all memory
            raise beyond_limits(request, "the answer is packed, which nobody asked for", self.connection)
        content = bytearray()
        while piece := response.read(_PIECE, decode_content=False):
            content += piece
            if len(content) > most:
                response.close()
                raise beyond_limits(request, f"the answer has more than {most:,} bytes", self.connection)
        response.release_conn()
        return bytes(content)

    def _lines(self, request: Request, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise beyond_limits(request, "the answer is packed, which nobody asked for", self.connection)
        begun = bytearray()
        for piece in response.stream(_PIECE, decode_content=False):
            begun += piece
            *whole, rest = bytes(begun).split(b"\n") if b"\n" in piece else [bytes(begun)]
            yield from (line + b"\n" for line in whole)
            begun = bytearray(rest)
            if len(begun) > LARGEST:
                raise beyond_limits(request, f"a line has more than {LARGEST:,} bytes", self.connection)
        if begun:
            yield bytes(begun)

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
            body = self._content(request, response, _LARGEST_REFUSAL)
            raise refusal(request, response.status, body, self.connection.context, retry_after=retry_after)
        return response

    @contextmanager
    def _faults(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(request, error, self.connection) from None


def _seconds(retry_after: str | None) -> float:
    """What the header asks to wait. The API server writes seconds; a date, which a proxy may write, counts as none."""
    return min(float(retry_after), _LONGEST_WAIT) if retry_after and retry_after.isdecimal() else 0.0
