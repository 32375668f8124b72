"""The service below HTTP: which checks a call passes, in which order, and what each action does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.dcap import QuoteError, parse_sgx_report
from ppmlctl.ehsm import Account, canonical_text, is_signed, sign
from ppmlctl.sandbox.ehsm import replay
from ppmlctl.sandbox.ehsm.answers import INTERNAL_ERROR, NO_SUCH_ACTION, UNKNOWN_ACCOUNT, Answer
from ppmlctl.sandbox.ehsm.database import Database
from ppmlctl.sandbox.ehsm.envelope import envelope_fault
from ppmlctl.sandbox.ehsm.key_actions import Action, KeyActions, misuse_refused
from ppmlctl.sandbox.ehsm.key_import import KeyImport
from ppmlctl.sandbox.ehsm.key_store import KeyStore
from ppmlctl.sandbox.ehsm.payloads import CRYPTOGRAPHIC
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.release import Release
from ppmlctl.sandbox.ehsm.secret_actions import SecretActions
from ppmlctl.sandbox.ehsm.secret_store import SecretStore
from ppmlctl.sandbox.ehsm.store import Store, StoredPolicy

_UPLOADED = "Upload quote policy success."


@dataclass(frozen=True)
class Call:
    """A request after HTTP: its method, the action asked for, and its JSON body."""

    method: str
    action: str
    body: Any


class Service:
    """Answers calls from its store and its quotes."""

    def __init__(self, database: Database, quoting: Quoting, clock: Callable[[], float], release: Release) -> None:
        self._store = Store(database)
        self._quoting = quoting
        self._clock = clock
        self._release = release
        self._replays = replay.ReplayMemory()
        self._open: Mapping[str, Callable[[], Answer]] = {"Enroll": self._enroll, "GetVersion": self._version}
        self._keys, self._secrets = _key_and_secret_actions(database, self.now)
        self._signed: Mapping[str, Callable[[Account, Mapping[str, Any] | None], Answer]] = {
            "GenerateQuote": self._generate_quote,
            "VerifyQuote": self._verify_quote,
            "UploadQuotePolicy": self._upload_policy,
            "GetQuotePolicy": self._get_policy,
        }

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * 1000)

    def check(self, call: Call) -> Answer | Account | None:
        """The refusal of a call, or who signed it; None for an action that needs no signature."""
        if call.action in self._open:
            return None
        try:
            return self._check_signed(call)
        except RecursionError:  # a payload nested deeper than the stack
            return INTERNAL_ERROR

    def act(self, call: Call, account: Account | None) -> Answer:
        """Does what a checked call asks for."""
        if account is None:
            return self._open[call.action]() if call.method == "GET" else NO_SUCH_ACTION
        return self._act(account, call.action, call.body.get("payload")) if call.method == "POST" else NO_SUCH_ACTION

    def _act(self, account: Account, action: str, payload: Any) -> Answer:
        members = payload if isinstance(payload, dict) else {}
        if not self._release.serves(action):
            return NO_SUCH_ACTION
        if action in self._keys:
            return self._keys[action](account, self._release.translated(action, members))
        if action in self._secrets:
            is_missing = payload is None and action != "ListSecrets"
            return INTERNAL_ERROR if is_missing else self._secrets[action](account, members)
        if action in self._signed:
            return self._signed[action](account, payload)
        return NO_SUCH_ACTION

    def _check_signed(self, call: Call) -> Answer | Account:
        body, now = call.body, self.now()
        fault = envelope_fault(body, now, needs_payload=call.action in CRYPTOGRAPHIC)
        if fault:
            return Answer.refused(fault)
        nonce = body.get("nonce") if self._release.signs_nonces else None
        if self._replays.is_replay(body["appid"], nonce, body["timestamp"], now):
            return Answer.refused(replay.MESSAGE)
        fault = self._release.payload_fault(call.action, body.get("payload"))
        if fault:
            return Answer.refused(fault)
        account = self._store.account(body["appid"])
        if account is None:
            return UNKNOWN_ACCOUNT
        text = self._release.signed_text(body)
        if text is None:
            return Answer.refused("Unexpected Error")
        return account if is_signed(text, body["sign"], account.apikey) else Answer.refused("sign error")

    def _enroll(self) -> Answer:
        account = self._store.add_account()
        return Answer.success({"appid": account.appid, "apikey": account.apikey.reveal_text()}, "successful")

    def _version(self) -> Answer:
        return Answer.success({"version": self._release.version, "git_sha": "none"})

    def _generate_quote(self, _account: Account, payload: Mapping[str, Any] | None) -> Answer:
        if payload is None:
            return Answer.enclave_refused()
        quote = base64.b64encode(self._quoting.quote(base64.b64decode(payload["challenge"]))).decode()
        return Answer.success({"challenge": payload["challenge"], "quote": quote})

    def _verify_quote(self, account: Account, payload: Mapping[str, Any] | None) -> Answer:
        flaws = self._quoting.flaws
        if payload is None or flaws.pccs_lost:
            return Answer.enclave_refused()
        policy = None
        if payload.get("policyId"):
            policy = self._store.policy(account.appid, payload["policyId"])
            if policy is None:
                return Answer.refused("Invalid  policyId.")
        try:
            raw = base64.b64decode(payload["quote"], validate=True)
            body = parse_sgx_report(raw)
        except (QuoteError, binascii.Error):
            return Answer.enclave_refused()
        shown = (body.mr_enclave.hex(), body.mr_signer.hex())
        if policy and (policy.mr_enclave, policy.mr_signer) != shown and not flaws.ignores_policies:
            return Answer.enclave_refused()
        measured = {"mr_enclave": policy.mr_enclave, "mr_signer": policy.mr_signer} if policy else {}
        verdict = {"result": int(self._quoting.verify(raw)), "nonce": payload["nonce"]} | measured
        return Answer.success(verdict | {"sign": sign(canonical_text(verdict), account.apikey)})

    def _upload_policy(self, account: Account, payload: Mapping[str, Any] | None) -> Answer:
        measured = payload or {}
        policy = StoredPolicy(measured.get("mr_enclave"), measured.get("mr_signer"), self.now())
        return Answer.success({"policyId": self._store.add_policy(account.appid, policy)}, _UPLOADED)

    def _get_policy(self, account: Account, payload: Mapping[str, Any] | None) -> Answer:
        if payload is None:
            return Answer.enclave_refused()
        found = self._store.policy(account.appid, payload["policyId"])
        measured: dict[str, Any] = {}
        if found:
            measured = {
                "mr_enclave": found.mr_enclave,
                "mr_signer": found.mr_signer,
                "createTime": found.create_time,
            }
        return Answer.success({"policyId": payload["policyId"]} | measured, "Query quote policy success.")


def _key_and_secret_actions(
    database: Database, now: Callable[[], int]
) -> tuple[Mapping[str, Action], Mapping[str, Action]]:
    keys = KeyStore(database)
    key_actions = KeyActions(keys, now)
    of_keys = {**key_actions.actions, **KeyImport(keys, key_actions, now).actions}
    of_secrets = SecretActions(SecretStore(database), keys, now).actions
    return _guarded(of_keys), _guarded(of_secrets)


def _guarded(actions: Mapping[str, Action]) -> dict[str, Action]:
    return {name: misuse_refused(action) for name, action in actions.items()}
