"""A typed client of one BigDL Remote Attestation Service. No api key gets into an error or a log.

Source: intel-analytics/BigDL, `BigDLRemoteAttestationService.scala` and the README of
`ppml/services/bigdl-attestation-service`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Self

import httpx

from ppmlctl.attestation import Account, Policy, Verdict
from ppmlctl.clients.attestation import faults
from ppmlctl.clients.exchange import Exchange
from ppmlctl.clients.server_trust import ServerTrust
from ppmlctl.effects import Effect, Effects
from ppmlctl.foreign_json import parse_foreign
from ppmlctl.secret import Secret

_OK, _BAD_REQUEST, _FAILED = 200, 400, 500
_NAME = "BigDL Remote Attestation Service"
_RESULT = "result"


class AttestationClient:
    """Talks to the service at `url`. Operations raise EngineError (see `faults`), and WriteRefusedError in a plan."""

    def __init__(
        self,
        url: str,
        effects: Effects,
        *,
        trust: ServerTrust | None = None,
        connect_to: tuple[str, int] | None = None,
    ) -> None:
        """`connect_to` leads a logical URL to its real address; TLS is still checked against the URL's host name."""
        self._effects = effects
        self._exchange = Exchange(url, trust or ServerTrust(), connect_to, faults)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self._exchange.url

    def close(self) -> None:
        """Gives back what the client holds."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def check(self) -> None:
        """Whether it is there: what answers names itself, to anyone."""
        answer = self._send("check", Effect.READ, "GET", "/")
        if answer.status_code != _OK or _NAME not in answer.text:
            raise self._wrong("check", f"HTTP {answer.status_code}, and it does not name itself")

    def enroll(self) -> Account:
        """Makes a new account, for whoever asks. The service can neither list nor delete accounts."""
        found = self._json("enroll", self._send("enroll", Effect.WRITE, "GET", "/enroll"))
        app_id, api_key = found.get("appID"), found.get("apiKey")
        if not (isinstance(app_id, str) and app_id and isinstance(api_key, str) and api_key):
            raise self._wrong("enroll", "no appID and apiKey")
        return Account(app_id, Secret(api_key))

    def has_account(self, account: Account) -> bool:
        """Whether the service takes the account. Asked by a registration without a type, which registers nothing."""
        answer = self._post("registerPolicy", Effect.READ, account, {})
        if answer.status_code == _BAD_REQUEST and answer.text in (faults.UNKNOWN_ACCOUNT, faults.UNKNOWN_POLICY):
            return answer.text == faults.UNKNOWN_POLICY
        raise self._wrong("registerPolicy", f"HTTP {answer.status_code} to a policy without a type")

    def register_policy(self, account: Account, policy: Policy) -> str:
        """Registers a policy and gives its id. Each call makes another; none can be looked up or removed."""
        content = {"policyType": policy.type.value, **policy.fields}
        found = self._json("registerPolicy", self._post("registerPolicy", Effect.WRITE, account, content))
        policy_id = found.get("policyID")
        if not isinstance(policy_id, str) or not policy_id:
            raise self._wrong("registerPolicy", "no policyID")
        return policy_id

    def verify_quote(self, account: Account, quote: bytes, policy_id: str | None = None) -> Verdict:
        """The verdict on a quote. One that is not genuine ends in `attestation-service-failed` at the real service."""
        content = {"quote": base64.b64encode(quote).decode()} | ({"policyID": policy_id} if policy_id else {})
        answer = self._post("verifyQuote", Effect.READ, account, content)
        if answer.status_code == _BAD_REQUEST and _result_in(answer) is None:
            raise faults.refused("verifyQuote", answer.text)
        if answer.status_code not in (_OK, _BAD_REQUEST):
            raise self._wrong("verifyQuote", f"HTTP {answer.status_code}")
        result = _result_in(answer)
        if result is None or (result is Verdict.REFUSED) != (answer.status_code == _BAD_REQUEST):
            raise self._wrong("verifyQuote", f"HTTP {answer.status_code} without a result that fits")
        return result

    def _post(self, operation: str, effect: Effect, account: Account, content: Mapping[str, Any]) -> httpx.Response:
        asking = {"appID": account.app_id, "apiKey": account.api_key.reveal_text()}
        answer = self._send(operation, effect, "POST", f"/{operation}", {**asking, **content})
        return _without(asking["apiKey"], answer) if answer.status_code == _BAD_REQUEST else answer

    def _send(self, operation: str, effect: Effect, method: str, path: str, body: Any = None) -> httpx.Response:
        with self._effects.operation(effect, operation):
            answer = self._exchange.send(operation, effect, method, path, body)
        if answer.status_code == _FAILED:
            raise faults.failed(self.url, operation, answer.text)
        return answer

    def _json(self, operation: str, answer: httpx.Response) -> Mapping[str, Any]:
        """The members of a good answer."""
        if answer.status_code == _BAD_REQUEST:
            raise faults.refused(operation, answer.text)
        found = _members(answer)
        if answer.status_code != _OK or found is None:
            raise self._wrong(operation, f"HTTP {answer.status_code}" if found else "no JSON object")
        return found

    def _wrong(self, operation: str, reason: str) -> Exception:
        return faults.answer_wrong(self.url, operation, reason)


def _without(key: str, answer: httpx.Response) -> httpx.Response:
    """A refusal is shown in the service's words, and what stands between may answer with what it was sent."""
    if answer.text in (faults.UNKNOWN_ACCOUNT, faults.UNKNOWN_POLICY) or _result_in(answer) is not None or not key:
        return answer
    text = answer.text.replace(key, "(secret)").replace(json.dumps(key)[1:-1], "(secret)")
    return httpx.Response(answer.status_code, text=text)


def _members(answer: httpx.Response) -> Mapping[str, Any] | None:
    """The answer as a JSON object, with or without the mark that some servers begin text with."""
    try:
        found = parse_foreign(answer.content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _result_in(answer: httpx.Response) -> Verdict | None:
    result = (_members(answer) or {}).get(_RESULT)
    if not isinstance(result, int) or isinstance(result, bool):
        return None
    return Verdict(result) if result in set(Verdict) else None
