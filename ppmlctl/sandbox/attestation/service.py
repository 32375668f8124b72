"""What the service answers, below HTTP: status and text. In the order of the real one's checks.

Source: intel-analytics/BigDL, `BigDLRemoteAttestationService.scala`, `SGXDCAPQuoteVerifierImpl.scala`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.attestation import Policy, PolicyType, Verdict
from ppmlctl.dcap import QuoteError, TdReport, parse_quote
from ppmlctl.foreign_json import parse_foreign
from ppmlctl.sandbox.attestation.store import Store
from ppmlctl.sandbox.ehsm.collateral import Tee
from ppmlctl.sandbox.ehsm.quoting import Quoting

_WELCOME = "Welcome to BigDL Remote Attestation Service (sandbox)\n"
_NO_ACCOUNT, _NO_POLICY = "Invalid app_id and api_key.", "Unsupported policy type."
_SERVER_FAULT = "There was an internal server error."


@dataclass(frozen=True)
class Answer:
    """A status and a body of text, which may be JSON: the service calls all of it text."""

    status: int
    text: str


FAILED = Answer(500, _SERVER_FAULT)
_MALFORMED = Answer(400, "The request content was malformed.")
"""In the words of the real one's framework, whose own code fails at such content with 500."""


class Service:
    """Answers from its store and by its platform's collateral."""

    def __init__(self, store: Store, quoting: Quoting) -> None:
        self._store = store
        self._quoting = quoting

    def get(self, path: str) -> Answer | None:
        """None for a path that nobody serves."""
        if path == "/enroll":
            account = self._store.add_account()
            return _json({"appID": account.app_id, "apiKey": account.api_key.reveal_text()})
        return Answer(200, _WELCOME) if path == "/" else None

    def post(self, path: str, raw: bytes) -> Answer | None:
        """The same; what is no JSON object is refused, whatever the account."""
        if path not in ("/registerPolicy", "/verifyQuote"):
            return None
        members = _members(raw)
        if members is None:
            return _MALFORMED
        if not self._store.has(members.get("appid"), members.get("apikey")):
            return Answer(400, _NO_ACCOUNT)
        return self._register(members) if path == "/registerPolicy" else self._verify(members)

    def _register(self, members: Mapping[str, str]) -> Answer:
        if members.get("policytype") not in set(PolicyType):
            return Answer(400, _NO_POLICY)
        kind = PolicyType(members["policytype"])
        # A field that is absent is registered all the same, and then nothing meets the policy.
        policy = Policy(kind, {name: members.get(name.lower(), "") for name in kind.fields})
        return _json({"policyID": self._store.add_policy(members["appid"], policy)})

    def _verify(self, members: Mapping[str, str]) -> Answer:
        try:
            quote = base64.b64decode(members["quote"], validate=True)
            tee: Tee = "TDX" if isinstance(parse_quote(quote).body, TdReport) else "SGX"
        except (KeyError, QuoteError, binascii.Error):
            return FAILED
        status = self._quoting.tcb_status(quote, tee)
        if self._quoting.flaws.pccs_lost or self._quoting.flaws.refuses_quotes or status in (None, "Revoked"):
            return FAILED
        verdict = Verdict.ACCEPTED if status == "UpToDate" else Verdict.OUTDATED
        policy_id = members.get("policyid")
        if policy_id is None:
            return _result(verdict)
        found = self._store.policy(policy_id)
        if found is None:
            return Answer(400, _NO_POLICY)
        owner, policy = found
        meets = owner == members["appid"] and not policy.differences(quote)
        return _result(verdict if meets or self._quoting.flaws.ignores_policies else Verdict.REFUSED)


def _result(verdict: Verdict) -> Answer:
    return _json({"result": int(verdict)}, 200 if verdict.passes else 400)


def _json(members: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(members))


def _members(raw: bytes) -> dict[str, str] | None:
    """The body's members as texts by lower-case names: the service reads names whatever their case."""
    try:
        found = parse_foreign(raw)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    texts = {name.lower(): value for name, value in found.items() if isinstance(value, str | int | float)}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in texts.items()}
