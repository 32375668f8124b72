"""One HTTPS request to a service and its answer, within bounds of time and size."""

from __future__ import annotations

import ssl
from typing import Any, Protocol

import httpx

from ppmlctl.clients.https import Address, open_client, receive
from ppmlctl.clients.proxies import Way
from ppmlctl.clients.server_trust import ServerTrust
from ppmlctl.diagnostics import EngineError, InputError
from ppmlctl.effects import Effect

TIMEOUT = 10.0
"""Seconds for a whole exchange."""
_LARGEST_ANSWER = 1 << 20  # bytes
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNAVAILABLE = 503
_GATEWAY_STATUS = (502, _UNAVAILABLE, 504)
"""Answers of a gateway. Only 503 says that the request was not passed on (RFC 9110, 15.6)."""


class Faults(Protocol):
    """The words of one service for what can go wrong on the way to it and back."""

    def url_wrong(self, url: str, /) -> InputError: ...
    def unreachable(self, way: Way, operation: str, reason: str, /) -> EngineError: ...
    def answer_lost(self, way: Way, operation: str, reason: str, /) -> EngineError: ...
    def untrusted(self, way: Way, operation: str, error: ssl.SSLError, /) -> EngineError: ...


class Exchange:
    """Sends requests to one server. Keeps no connection open, so that none is found dead when a write is due."""

    def __init__(self, url: str, trust: ServerTrust, connect_to: tuple[str, int] | None, faults: Faults) -> None:
        """`connect_to` leads a logical URL to its real address. Raises InputError for what is no https URL."""
        address = Address.of(url, connect_to)
        if address is None:
            raise faults.url_wrong(url)
        self.url = address.way.url
        self._address = address
        self._faults = faults
        self._http = open_client(address, trust.ssl_context(), seconds=TIMEOUT)
        self._http.headers["Accept"] = "application/json"

    def close(self) -> None:
        """Gives back what the client holds."""
        self._http.close()

    def send(self, operation: str, effect: Effect, method: str, path: str, body: Any = None) -> httpx.Response:
        """The answer, whatever it says, unless a gateway gave it. Raises EngineError."""
        content = {} if body is None else {"json": body}
        place, extensions = self._address.place + path, dict(self._address.extensions)
        request = self._http.build_request(method, place, extensions=extensions, **content)
        try:
            response = receive(self._http, request, largest=_LARGEST_ANSWER, seconds=TIMEOUT)
        except httpx.TransportError as error:
            raise self._fault(operation, effect, error) from None
        if response.status_code in _GATEWAY_STATUS:
            was_passed_on = effect is Effect.WRITE and response.status_code != _UNAVAILABLE
            fault = self._faults.answer_lost if was_passed_on else self._faults.unreachable
            raise fault(self._address.way, operation, f"HTTP {response.status_code}")
        return response

    def _fault(self, operation: str, effect: Effect, error: httpx.TransportError) -> EngineError:
        tls, was_sent = _tls_cause(error), not isinstance(error, _NOT_SENT)
        if tls is not None and not was_sent and not isinstance(tls, ssl.SSLEOFError):
            return self._faults.untrusted(self._address.way, operation, tls)
        reason = str(error) or type(error).__name__
        if effect is Effect.WRITE and was_sent:
            return self._faults.answer_lost(self._address.way, operation, reason)
        return self._faults.unreachable(self._address.way, operation, reason)


def _tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
