"""Calls of EHSM's actions: signed, fresh, gated by their effect, their answers typed. No secret gets into a fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ppmlctl.clients.ehsm import faults
from ppmlctl.clients.ehsm.exchange import JsonExchange
from ppmlctl.clients.ehsm.freshness import Freshness
from ppmlctl.clients.ehsm.operations import EFFECTS
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account, Envelope, MessageError, canonical_request, sign
from ppmlctl.ehsm.messages import SUCCESS, Message

M = TypeVar("M", bound=Message)
_TRIES = 3


class Calls:
    """Sends actions to one server. Each raises EngineError (see `faults`), and WriteRefusedError in a plan.

    Whether the server's signature covers nonces is found out by the first signed call: GetVersion tells 0.3.2 for
    releases that differ in it.
    """

    def __init__(self, exchange: JsonExchange, effects: Effects, freshness: Freshness) -> None:
        self._exchange = exchange
        self._effects = effects
        self._freshness = freshness
        self._nonces_understood: bool | None = None

    def open(self, action: str) -> Any:
        """The result of an action that needs no signature."""
        effect = EFFECTS[action]
        with self._effects.operation(effect, action):
            answer = self._exchange.get(action, effect, f"/ehsm?Action={action}")
        return self._result(action, self.parsed(Envelope, action, answer))

    def signed(self, action: str, account: Account, payload: Mapping[str, Any] | None = None) -> Any:
        """The result of a signed action, sent anew where the server takes it for a replay or does not know nonces."""
        effect = EFFECTS[action]
        for last in (*[False] * (_TRIES - 1), True):
            body = self._request(account, payload or {})
            with self._effects.operation(effect, action):
                answer = self._exchange.post(action, effect, f"/ehsm?Action={action}", body)
            envelope = self.parsed(Envelope, action, answer)
            if last or not self._another_try_may_do(envelope):
                break
        understood = "nonce" in body
        self._nonces_understood = understood if envelope.code == SUCCESS else self._nonces_understood and understood
        return self._result(action, envelope)

    def parsed(self, message: type[M], operation: str, raw: Any) -> M:
        """The typed answer. Raises `ehsm-answer-wrong` for one of another form."""
        try:
            return message.parse(raw)
        except MessageError as error:
            raise self.wrong_answer(operation, str(error)) from None

    def wrong_answer(self, operation: str, reason: str) -> Exception:
        """The fault of an answer that no EHSM gives."""
        return faults.answer_wrong(self._exchange.url, operation, reason)

    def _request(self, account: Account, payload: Mapping[str, Any]) -> dict[str, Any]:
        body = {"appid": account.appid, "timestamp": self._freshness.timestamp(account.appid), "payload": payload}
        if self._nonces_understood is not False:
            body["nonce"] = self._freshness.nonce()
        return body | {"sign": sign(canonical_request(body), account.apikey)}

    def _another_try_may_do(self, envelope: Envelope) -> bool:
        """Neither answer did anything. EHSM 0.3.2 signs without nonces, so a first `sign error` may mean that."""
        if envelope.code == SUCCESS:
            return False
        if envelope.words == faults.SIGN_ERROR and self._nonces_understood is None:
            self._nonces_understood = False
            return True
        return envelope.words == faults.REPLAYED

    @staticmethod
    def _result(action: str, envelope: Envelope) -> Any:
        if envelope.code != SUCCESS:
            raise faults.refused(action, envelope)
        return envelope.result
