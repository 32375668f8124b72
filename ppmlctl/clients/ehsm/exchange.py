"""One HTTPS request to EHSM and its answer, within bounds of time and size."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from ppmlctl.clients.ehsm import faults
from ppmlctl.clients.ehsm.trust import ServerTrust
from ppmlctl.clients.https import Address, receive
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError
from ppmlctl.effects import Effect

TIMEOUT = 10.0
"""Seconds for a whole exchange."""
_LARGEST_ANSWER = 1 << 20  # bytes
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNAVAILABLE = 503
_GATEWAY_STATUS = (502, _UNAVAILABLE, 504)
"""Answers of a gateway. Only 503 says that the request was not passed on (RFC 9110, 15.6)."""
_OK = 200


class Exchange:
    """Sends requests to one server. Keeps no connection open, so that none is found dead when a write is due."""

    def __init__(self, url: str, trust: ServerTrust, connect_to: tuple[str, int] | None) -> None:
        address = Address.of(url, connect_to)
        if address is None:
            title = "EHSM's URL is no https URL"
            raise InputError(Diagnostic("ehsm-url-wrong", title, url, fix="https://HOST:9000"))
        self.url = address.url
        self._address = address
        # Neither proxies nor .netrc of the environment: they are meant for the way out, not for a key server.
        self._http = httpx.Client(
            verify=trust.ssl_context(),
            headers={"Host": address.netloc, "Accept": "application/json"},
            timeout=TIMEOUT,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def close(self) -> None:
        """Gives back what the client holds."""
        self._http.close()

    def get(self, operation: str, effect: Effect, path: str) -> Any:
        """The JSON answer to a GET. Raises EngineError."""
        return self._send(operation, effect, self._request("GET", path))

    def post(self, operation: str, effect: Effect, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer to a POST of JSON. Raises EngineError."""
        return self._send(operation, effect, self._request("POST", path, json=body))

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return self._http.build_request(
            method, self._address.place + path, extensions=dict(self._address.extensions), **content
        )

    def _send(self, operation: str, effect: Effect, request: httpx.Request) -> Any:
        try:
            response = receive(self._http, request, largest=_LARGEST_ANSWER, seconds=TIMEOUT)
        except httpx.TransportError as error:
            raise self._fault(operation, effect, error) from None
        if response.status_code in _GATEWAY_STATUS:
            was_passed_on = effect is Effect.WRITE and response.status_code != _UNAVAILABLE
            fault = faults.answer_lost if was_passed_on else faults.unreachable
            raise fault(self.url, operation, f"HTTP {response.status_code}")
        if response.status_code != _OK:
            raise faults.answer_wrong(self.url, operation, f"HTTP {response.status_code}")
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise faults.answer_wrong(self.url, operation, "no JSON") from None

    def _fault(self, operation: str, effect: Effect, error: httpx.TransportError) -> EngineError:
        tls, was_sent = _tls_cause(error), not isinstance(error, _NOT_SENT)
        if tls is not None and not was_sent and not isinstance(tls, ssl.SSLEOFError):
            return faults.untrusted(self.url, operation, tls)
        reason = str(error) or type(error).__name__
        if effect is Effect.WRITE and was_sent:
            return faults.answer_lost(self.url, operation, reason)
        return faults.unreachable(self.url, operation, reason)


def _tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
