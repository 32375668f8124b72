"""The two actions by which a user's own key material comes in, wrapped for a key pair made for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from ppmlctl.ehsm import Account, KeyOrigin
from ppmlctl.sandbox.ehsm import asymmetric_keys
from ppmlctl.sandbox.ehsm.answers import Answer
from ppmlctl.sandbox.ehsm.asymmetric_keys import RSA_BITS
from ppmlctl.sandbox.ehsm.key_actions import Action, KeyActions, Payload
from ppmlctl.sandbox.ehsm.key_store import KeyStore
from ppmlctl.sandbox.ehsm.symmetric_keys import KEY_BYTES

_TOKEN_LIFETIME = 24 * 60 * 60 * 1000  # milliseconds
_TOKEN_OLD = 'Token validity time is 24 hours. Try to send "GetParametersForImport" request again.'  # noqa: S105 - the service's words


class KeyImport:
    """Answers from a store of keys. Unlike the real service it does check a token's signature."""

    def __init__(self, keys: KeyStore, found: KeyActions, now: Callable[[], int]) -> None:
        self._keys = keys
        self._found = found
        self._now = now
        self.actions: Mapping[str, Action] = {
            "GetParametersForImport": self._parameters,
            "ImportKeyMaterial": self._import,
        }

    def _parameters(self, account: Account, payload: Payload) -> Answer:
        key = self._found.usable(account, payload["keyid"])
        if key.origin != KeyOrigin.EXTERNAL or payload["keyspec"] not in RSA_BITS:
            return Answer.enclave_refused()
        wrapping = asymmetric_keys.generate(payload["keyspec"])
        self._keys.put(replace(key, import_key=wrapping))
        token = _Token.signed(key.keyid, self._now(), wrapping)
        return Answer.success({"pubkey": asymmetric_keys.public_key(wrapping), "importToken": token.text()})

    def _import(self, account: Account, payload: Payload) -> Answer:
        key = self._found.usable(account, payload["keyid"])
        token = _Token.parse(payload.get("importToken"))
        if token is None or key.import_key is None:
            return Answer.refused("ImportKeyMaterial failed.", 500)
        if self._now() > token.timestamp + _TOKEN_LIFETIME:
            return Answer.refused(_TOKEN_OLD, 500)
        if token.keyid != key.keyid or not token.is_of(key.import_key):
            return Answer.refused("ImportToken failed.", 500)
        material = asymmetric_keys.decrypt(
            key.import_key, base64.b64decode(payload["key_material"]), payload["padding_mode"]
        )
        if len(material) != KEY_BYTES.get(key.keyspec):
            return Answer(500, "Import key failed.", None)
        self._keys.put(replace(key, material=material, import_key=None))
        return Answer.success({"result": True})


@dataclass(frozen=True)
class _Token:
    keyid: str
    timestamp: int
    """Milliseconds since 1970."""
    hmac: str

    @classmethod
    def signed(cls, keyid: str, timestamp: int, wrapping: bytes) -> _Token:
        key = hashlib.sha256(wrapping).digest()
        signature = hmac.new(key, f"{keyid} {timestamp}".encode(), hashlib.sha256).hexdigest()
        return cls(keyid, timestamp, signature)

    @classmethod
    def parse(cls, text: object) -> _Token | None:
        """The token, if it has the form of one."""
        try:
            token = cls(**json.loads(base64.b64decode(str(text), validate=True)))
            known = isinstance(token.keyid, str) and isinstance(token.timestamp, int) and token.hmac.isascii()
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        return token if known else None

    def is_of(self, wrapping: bytes) -> bool:
        expected = self.signed(self.keyid, self.timestamp, wrapping)
        return hmac.compare_digest(expected.hmac, self.hmac)

    def text(self) -> str:
        return base64.b64encode(json.dumps(asdict(self)).encode()).decode()
