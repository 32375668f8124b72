"""What the service's actions on keys do: those of its key management, and those of its enclave."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ppmlctl.ehsm import Account, KeyOrigin, KeySpec, KeyUsage, PaddingMode
from ppmlctl.sandbox.ehsm import asymmetric_keys, symmetric_keys
from ppmlctl.sandbox.ehsm.answers import Answer, RefusedError
from ppmlctl.sandbox.ehsm.asymmetric_keys import CURVES, RSA_BITS, KeyMisusedError, Signing
from ppmlctl.sandbox.ehsm.key_store import KeyStore, StoredKey
from ppmlctl.sandbox.ehsm.symmetric_keys import KEY_BYTES, DecryptionError

_LIFETIME = 365 * 24 * 60 * 60 * 1000  # milliseconds
_CANNOT_DECRYPT = Answer.refused("Decryption failed, Please confirm that your parameters are correct.")
_NO_SM2 = Answer(500, "Server exception. (The sandbox has no SM2.)", None)
_NOT_FOUND = Answer.refused("not find this keyid")
Payload = Mapping[str, Any]
Action = Callable[[Account, Payload], Answer]


class KeyActions:
    """Answers from a store of keys."""

    def __init__(self, keys: KeyStore, now: Callable[[], int]) -> None:
        self._keys = keys
        self._now = now
        self.actions: Mapping[str, Action] = {
            "CreateKey": self._create,
            "Encrypt": self._encrypt,
            "Decrypt": self._decrypt,
            "GenerateDataKey": self._generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self._generate_wrapped_data_key,
            "ExportDataKey": self._export_data_key,
            "AsymmetricEncrypt": self._asymmetric_encrypt,
            "AsymmetricDecrypt": self._asymmetric_decrypt,
            "Sign": self._sign,
            "Verify": self._verify,
            "GetPublicKey": self._public_key,
            "ListKey": self._list,
            "DeleteKey": self._delete,
            "DeleteAllKey": self._delete_all,
            "EnableKey": lambda account, payload: self._enable(account, payload, 1),
            "DisableKey": lambda account, payload: self._enable(account, payload, 0),
        }

    def usable(self, account: Account, keyid: str) -> StoredKey:
        """A key that the account may use now. Raises RefusedError with the service's words."""
        key = self._keys.find(keyid)
        if key is None:
            raise RefusedError(Answer.refused("keyid error"))
        if key.appid != account.appid:
            raise RefusedError(Answer.refused("appid error"))
        if not key.enabled:
            raise RefusedError(Answer.refused("keyid is disabled"))
        if self._now() > key.expire_time:
            raise RefusedError(Answer.refused("keyid expire"))
        return key

    def _create(self, account: Account, payload: Payload) -> Answer:
        keyspec, usage, now = payload["keyspec"], payload.get("keyusage"), self._now()
        if usage not in tuple(KeyUsage) or keyspec == KeySpec.HMAC:
            return Answer.enclave_refused()
        if keyspec == KeySpec.SM2:
            return _NO_SM2
        material = b"" if payload["origin"] == KeyOrigin.EXTERNAL else _generate(keyspec)
        keyid = str(uuid.uuid4())
        self._keys.put(
            StoredKey(keyid, account.appid, keyspec, payload["origin"], usage, material, now, now + _LIFETIME)
        )
        return Answer.success({"keyid": keyid})

    def _encrypt(self, account: Account, payload: Payload) -> Answer:
        key = self._symmetric(account, payload["keyid"])
        sealed = symmetric_keys.encrypt(key.keyspec, key.material, _bytes(payload, "plaintext"), _bytes(payload, "aad"))
        return Answer.success({"ciphertext": _text(sealed)})

    def _decrypt(self, account: Account, payload: Payload) -> Answer:
        key = self._symmetric(account, payload["keyid"])
        return Answer.success({"plaintext": _text(_opened(key, payload, "ciphertext"))})

    def _generate_data_key(self, account: Account, payload: Payload) -> Answer:
        key, plain = self._symmetric(account, payload["keyid"]), os.urandom(int(payload["keylen"]))
        sealed = symmetric_keys.encrypt(key.keyspec, key.material, plain, _bytes(payload, "aad"))
        return Answer.success({"plaintext": _text(plain), "ciphertext": _text(sealed)})

    def _generate_wrapped_data_key(self, account: Account, payload: Payload) -> Answer:
        result = self._generate_data_key(account, payload).result
        return Answer.success({"ciphertext": result["ciphertext"]})

    def _export_data_key(self, account: Account, payload: Payload) -> Answer:
        key, other = self._symmetric(account, payload["keyid"]), self.usable(account, payload["ukeyid"])
        try:
            plain = _opened(key, payload, "olddatakey_base")
        except DecryptionError:
            return Answer.enclave_refused()
        if other.keyspec not in RSA_BITS:
            return Answer.enclave_refused()
        wrapped = asymmetric_keys.encrypt(other.material, plain, PaddingMode.PKCS1_OAEP)
        return Answer.success({"newdatakey": _text(wrapped)})

    def _asymmetric_encrypt(self, account: Account, payload: Payload) -> Answer:
        key = self._used_for(account, payload["keyid"], KeyUsage.ENCRYPT_DECRYPT)
        sealed = asymmetric_keys.encrypt(key.material, _bytes(payload, "plaintext"), payload["padding_mode"])
        return Answer.success({"ciphertext": _text(sealed)})

    def _asymmetric_decrypt(self, account: Account, payload: Payload) -> Answer:
        key = self._used_for(account, payload["keyid"], KeyUsage.ENCRYPT_DECRYPT)
        opened = asymmetric_keys.decrypt(key.material, _bytes(payload, "ciphertext"), payload["padding_mode"])
        return Answer.success({"plaintext": _text(opened)})

    def _sign(self, account: Account, payload: Payload) -> Answer:
        key = self._used_for(account, payload["keyid"], KeyUsage.SIGN_VERIFY)
        signature = asymmetric_keys.sign(key.material, _bytes(payload, "message"), _signing(payload))
        return Answer.success({"signature": _text(signature)})

    def _verify(self, account: Account, payload: Payload) -> Answer:
        key = self._used_for(account, payload["keyid"], KeyUsage.SIGN_VERIFY)
        message, signature = _bytes(payload, "message"), _bytes(payload, "signature")
        return Answer.success({"result": asymmetric_keys.verify(key.material, message, signature, _signing(payload))})

    def _public_key(self, account: Account, payload: Payload) -> Answer:
        key = self.usable(account, payload["keyid"])
        if key.keyspec not in {*RSA_BITS, *CURVES}:
            return Answer.enclave_refused()
        return Answer.success({"pubkey": asymmetric_keys.public_key(key.material), "keyid": key.keyid})

    def _list(self, account: Account, _payload: Payload) -> Answer:
        keys = [_listed(key) for key in self._keys.of_account(account.appid, self._now())]
        return Answer.success({"list": keys}, "successful")

    def _delete(self, account: Account, payload: Payload) -> Answer:
        self._keys.delete(account.appid, str(payload.get("keyid")))
        return Answer.success({}, "successful")

    def _delete_all(self, account: Account, _payload: Payload) -> Answer:
        self._keys.delete_all(account.appid)
        return Answer.success({}, "successful")

    def _enable(self, account: Account, payload: Payload, state: int) -> Answer:
        key = self._keys.find(str(payload.get("keyid")))
        if key is None or key.appid != account.appid:
            return _NOT_FOUND
        self._keys.put(replace(key, enabled=state))
        return Answer.success({}, "successful")

    def _used_for(self, account: Account, keyid: str, usage: KeyUsage) -> StoredKey:
        key = self.usable(account, keyid)
        if key.keyusage != usage:
            raise RefusedError(Answer.enclave_refused())
        return key

    def _symmetric(self, account: Account, keyid: str) -> StoredKey:
        key = self._used_for(account, keyid, KeyUsage.ENCRYPT_DECRYPT)
        if key.keyspec not in KEY_BYTES or not key.material:
            raise RefusedError(Answer.enclave_refused())
        return key


def misuse_refused(action: Action) -> Action:
    """The action, whose misused keys and own refusals are answers."""

    def guarded(account: Account, payload: Payload) -> Answer:
        try:
            return action(account, payload)
        except RefusedError as error:
            return error.answer
        except KeyMisusedError:
            return Answer.enclave_refused()
        except DecryptionError:
            return _CANNOT_DECRYPT

    return guarded


def _generate(keyspec: str) -> bytes:
    return os.urandom(KEY_BYTES[keyspec]) if keyspec in KEY_BYTES else asymmetric_keys.generate(keyspec)


def _opened(key: StoredKey, payload: Payload, name: str) -> bytes:
    return symmetric_keys.decrypt(key.keyspec, key.material, _bytes(payload, name), _bytes(payload, "aad"))


def _listed(key: StoredKey) -> dict[str, Any]:
    return {
        "keyid": key.keyid,
        "creationDate": key.create_time,
        "expireTime": key.expire_time,
        "alias": "",
        "keyspec": key.keyspec,
        "keyState": key.enabled,
    }


def _signing(payload: Payload) -> Signing:
    return Signing(payload["message_type"], payload["digest_mode"], payload["padding_mode"])


def _bytes(payload: Payload, name: str) -> bytes:
    """A base64 member; an absent one is no bytes. Raises KeyMisusedError, since some are checked as text only."""
    try:
        return base64.b64decode(payload.get(name) or "", validate=True)
    except ValueError:
        raise KeyMisusedError from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
