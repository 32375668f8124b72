"""A typed client of one EHSM server. Each operation declares its effect; no apikey gets into an error or a log."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from typing import Self

from ppmlctl.clients.ehsm.calls import Calls
from ppmlctl.clients.ehsm.exchange import JsonExchange
from ppmlctl.clients.ehsm.freshness import Freshness
from ppmlctl.clients.ehsm.key_operations import KeyOperations
from ppmlctl.clients.ehsm.secret_operations import SecretOperations
from ppmlctl.clients.server_trust import ServerTrust
from ppmlctl.effects import Effects
from ppmlctl.ehsm import (
    Account,
    GeneratedQuote,
    QuotePolicy,
    QuoteVerification,
    UploadedPolicy,
    Version,
    canonical_text,
    is_signed,
)

_MEASUREMENT = re.compile(r"[0-9a-f]{64}")


class EhsmClient:
    """Talks to the EHSM at `url`. Operations raise EngineError (see `faults`), and WriteRefusedError in a plan."""

    def __init__(
        self,
        url: str,
        effects: Effects,
        *,
        trust: ServerTrust | None = None,
        connect_to: tuple[str, int] | None = None,
        freshness: Freshness | None = None,
    ) -> None:
        """`connect_to` leads a logical URL to its real address; TLS is still checked against the URL's host name."""
        self.trust = trust or ServerTrust()
        self._effects = effects
        self._exchange = JsonExchange(url, self.trust, connect_to)
        self._calls = Calls(self._exchange, effects, freshness or Freshness())
        self.keys = KeyOperations(self._calls)
        self.secrets = SecretOperations(self._calls)

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
        return self._calls.parsed(Version, "GetVersion", self._calls.open("GetVersion"))

    def enroll(self) -> Account:
        """Makes a new account. The server can neither list nor delete accounts."""
        return self._calls.parsed(Account, "Enroll", self._calls.open("Enroll"))

    def generate_quote(self, account: Account, challenge: bytes) -> bytes:
        """The server's SGX quote. Today's server echoes the challenge and does not bind it."""
        text = _base64(challenge)
        result = self._calls.signed("GenerateQuote", account, {"challenge": text})
        quote = self._calls.parsed(GeneratedQuote, "GenerateQuote", result)
        if quote.challenge != text:
            raise self._calls.wrong_answer("GenerateQuote", "the challenge that came back is another one")
        return quote.quote

    def verify_quote(
        self, account: Account, quote: bytes, nonce: bytes | None = None, policy_id: str | None = None
    ) -> QuoteVerification:
        """The server's verdict on a quote, signed over our nonce with the account's key; refuses an unsigned one.

        A measurement that differs from the policy's is no verdict but EhsmRefusedError with code 500.
        """
        text = _base64(nonce or secrets.token_bytes(32))
        payload = {"quote": _base64(quote), "nonce": text} | ({"policyId": policy_id} if policy_id else {})
        result = self._calls.signed("VerifyQuote", account, payload)
        reply = self._calls.parsed(QuoteVerification, "VerifyQuote", result)
        if not hmac.compare_digest(reply.nonce.encode(), text.encode()):
            raise self._calls.wrong_answer("VerifyQuote", "the nonce that came back is another one")
        if not is_signed(canonical_text(reply.signed_fields), reply.sign, account.apikey):
            raise self._calls.wrong_answer("VerifyQuote", "the verdict is not signed with the account's key")
        return reply

    def upload_quote_policy(self, account: Account, mr_enclave: str, mr_signer: str) -> str:
        """Registers the one enclave that a policy accepts, and gives the new policy's id. Each call makes another.

        Measurements go in lower case, since the server compares text. Raises ValueError unless each is 32 bytes in hex.
        """
        payload = {"mr_enclave": mr_enclave.lower(), "mr_signer": mr_signer.lower()}
        if not all(map(_MEASUREMENT.fullmatch, payload.values())):
            raise ValueError("a measurement is 64 hexadecimal digits")
        result = self._calls.signed("UploadQuotePolicy", account, payload)
        return self._calls.parsed(UploadedPolicy, "UploadQuotePolicy", result).policy_id

    def get_quote_policy(self, account: Account, policy_id: str) -> QuotePolicy | None:
        """What the account's policy accepts, or None where the account has no such policy."""
        result = self._calls.signed("GetQuotePolicy", account, {"policyId": policy_id})
        if self._calls.parsed(UploadedPolicy, "GetQuotePolicy", result).policy_id != policy_id:
            raise self._calls.wrong_answer("GetQuotePolicy", "another policy came back")
        found = isinstance(result, dict) and result.get("mr_enclave") is not None
        return self._calls.parsed(QuotePolicy, "GetQuotePolicy", result) if found else None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
