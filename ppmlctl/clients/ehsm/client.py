"""A typed client of one EHSM server. Each operation declares its effect; no apikey gets into an error or a log."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from pydantic import Field

from ppmlctl.clients.ehsm import faults
from ppmlctl.clients.ehsm.exchange import Exchange
from ppmlctl.clients.ehsm.freshness import Freshness
from ppmlctl.clients.ehsm.trust import ServerTrust
from ppmlctl.effects import Effect, Effects
from ppmlctl.ehsm import (
    Account,
    Envelope,
    GeneratedQuote,
    MessageError,
    QuotePolicy,
    QuoteVerification,
    UploadedPolicy,
    Version,
    canonical_request,
    canonical_text,
    is_signed,
    sign,
)
from ppmlctl.ehsm.messages import SUCCESS, Message

M = TypeVar("M", bound=Message)
_TRIES = 3
_MEASUREMENT = re.compile(r"[0-9a-f]{64}")


class ServedCollateral(Message):
    """What the sandbox's EHSM serves beside the protocol, in place of a PCCS: collateral and the root of its quotes."""

    collateral: str
    root_ca: str = Field(pattern=r"^-----BEGIN CERTIFICATE-----")


class EhsmClient:
    """Talks to the EHSM at `url`. Operations raise EngineError (see `faults`), and WriteRefusedError in a plan."""

    def __init__(
        self,
        url: str,
        effects: Effects,
        *,
        trust: ServerTrust | None = None,
        connect_to: tuple[str, int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`connect_to` leads a logical URL to its real address; TLS is still checked against the URL's host name."""
        self.trust = trust or ServerTrust()
        self._effects = effects
        self._exchange = Exchange(url, self.trust, connect_to)
        self._freshness = Freshness(clock)
        self._nonces_understood: bool | None = None

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

    def get_version(self) -> Version:
        """The server's version: its enclave layer answers."""
        return self._parsed(Version, "GetVersion", self._get(Effect.READ, "GetVersion"))

    def enroll(self) -> Account:
        """Makes a new account. The server can neither list nor delete accounts."""
        return self._parsed(Account, "Enroll", self._get(Effect.WRITE, "Enroll"))

    def generate_quote(self, account: Account, challenge: bytes) -> bytes:
        """The server's SGX quote. Today's server echoes the challenge and does not bind it."""
        text = _base64(challenge)
        result = self._signed(Effect.READ, "GenerateQuote", account, {"challenge": text})
        quote = self._parsed(GeneratedQuote, "GenerateQuote", result)
        if quote.challenge != text:
            raise faults.answer_wrong(self.url, "GenerateQuote", "the challenge that came back is another one")
        return quote.quote

    def verify_quote(
        self, account: Account, quote: bytes, nonce: bytes | None = None, policy_id: str | None = None
    ) -> QuoteVerification:
        """The server's verdict on a quote, signed over our nonce with the account's key; refuses an unsigned one.

        A measurement that differs from the policy's is no verdict but EhsmRefusedError with code 500.
        """
        text = _base64(nonce or secrets.token_bytes(32))
        payload = {"quote": _base64(quote), "nonce": text} | ({"policyId": policy_id} if policy_id else {})
        result = self._signed(Effect.READ, "VerifyQuote", account, payload)
        reply = self._parsed(QuoteVerification, "VerifyQuote", result)
        if not hmac.compare_digest(reply.nonce.encode(), text.encode()):
            raise faults.answer_wrong(self.url, "VerifyQuote", "the nonce that came back is another one")
        if not is_signed(canonical_text(reply.signed_fields), reply.sign, account.apikey):
            raise faults.answer_wrong(self.url, "VerifyQuote", "the verdict is not signed with the account's key")
        return reply

    def upload_quote_policy(self, account: Account, mr_enclave: str, mr_signer: str) -> str:
        """Registers the one enclave that a policy accepts, and gives the new policy's id. Each call makes another.

        Measurements go in lower case, since the server compares text. Raises ValueError unless each is 32 bytes in hex.
        """
        payload = {"mr_enclave": mr_enclave.lower(), "mr_signer": mr_signer.lower()}
        if not all(map(_MEASUREMENT.fullmatch, payload.values())):
            raise ValueError("a measurement is 64 hexadecimal digits")
        result = self._signed(Effect.WRITE, "UploadQuotePolicy", account, payload)
        return self._parsed(UploadedPolicy, "UploadQuotePolicy", result).policy_id

    def get_quote_policy(self, account: Account, policy_id: str) -> QuotePolicy | None:
        """What the account's policy accepts, or None where the account has no such policy."""
        result = self._signed(Effect.READ, "GetQuotePolicy", account, {"policyId": policy_id})
        if self._parsed(UploadedPolicy, "GetQuotePolicy", result).policy_id != policy_id:
            raise faults.answer_wrong(self.url, "GetQuotePolicy", "another policy came back")
        found = isinstance(result, dict) and result.get("mr_enclave") is not None
        return self._parsed(QuotePolicy, "GetQuotePolicy", result) if found else None

    def served_collateral(self) -> ServedCollateral:
        """The collateral that the sandbox's EHSM serves; a real server has none and is `ehsm-answer-wrong`."""
        with self._effects.operation(Effect.READ, "collateral"):
            answer = self._exchange.get("collateral", Effect.READ, "/collateral")
        return self._parsed(ServedCollateral, "collateral", answer)

    def _get(self, effect: Effect, action: str) -> Any:
        with self._effects.operation(effect, action):
            answer = self._exchange.get(action, effect, f"/ehsm?Action={action}")
        return self._result(action, self._parsed(Envelope, action, answer))

    def _signed(self, effect: Effect, action: str, account: Account, payload: Mapping[str, Any]) -> Any:
        """Sends a signed request, anew where the server takes it for a replay or does not know nonces."""
        for last in (*[False] * (_TRIES - 1), True):
            body = self._request(account, payload)
            with self._effects.operation(effect, action):
                answer = self._exchange.post(action, effect, f"/ehsm?Action={action}", body)
            envelope = self._parsed(Envelope, action, answer)
            if last or not self._another_try_may_do(envelope):
                break
        understood = "nonce" in body
        self._nonces_understood = understood if envelope.code == SUCCESS else self._nonces_understood and understood
        return self._result(action, envelope)

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

    def _result(self, action: str, envelope: Envelope) -> Any:
        if envelope.code != SUCCESS:
            raise faults.refused(action, envelope)
        return envelope.result

    def _parsed(self, message: type[M], operation: str, raw: Any) -> M:
        try:
            return message.parse(raw)
        except MessageError as error:
            raise faults.answer_wrong(self.url, operation, str(error)) from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
