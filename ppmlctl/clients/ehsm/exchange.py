"""JSON to EHSM and from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppmlctl.clients.ehsm import faults
from ppmlctl.clients.exchange import Exchange
from ppmlctl.clients.server_trust import ServerTrust
from ppmlctl.effects import Effect
from ppmlctl.foreign_json import parse_foreign

_OK = 200


class JsonExchange(Exchange):
    """EHSM's own status is in the JSON; HTTP's is always 200."""

    def __init__(self, url: str, trust: ServerTrust, connect_to: tuple[str, int] | None) -> None:
        super().__init__(url, trust, connect_to, faults)

    def get(self, operation: str, effect: Effect, path: str) -> Any:
        """The JSON answer to a GET. Raises EngineError."""
        return self._json(operation, effect, "GET", path)

    def post(self, operation: str, effect: Effect, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer to a POST of JSON. Raises EngineError."""
        return self._json(operation, effect, "POST", path, body)

    def _json(self, operation: str, effect: Effect, method: str, path: str, body: Any = None) -> Any:
        response = self.send(operation, effect, method, path, body)
        if response.status_code != _OK:
            raise faults.answer_wrong(self.url, operation, f"HTTP {response.status_code}")
        try:
            return parse_foreign(response.content)
        except ValueError:
            raise faults.answer_wrong(self.url, operation, "no JSON") from None
