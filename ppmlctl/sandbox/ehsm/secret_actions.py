"""What the service's actions on secrets do. (intel/ehsm `ehsm_kms_service/secret_manager_apis.js`.)"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.sandbox.ehsm import symmetric_keys
from ppmlctl.sandbox.ehsm.answers import Answer, RefusedError
from ppmlctl.sandbox.ehsm.key_actions import Action, Payload
from ppmlctl.sandbox.ehsm.key_store import KeyStore
from ppmlctl.sandbox.ehsm.secret_store import SecretStore, StoredSecret
from ppmlctl.sandbox.ehsm.symmetric_keys import KEY_BYTES

_HOUR = 60 * 60 * 1000  # milliseconds
_DAY = 24 * _HOUR
_UNITS = {"d": _DAY, "h": _HOUR, "m": _HOUR // 60, "s": 1000}
_DEFAULT_RECOVERY = 30  # days
_SHORTEST_ROTATION, _LONGEST_ROTATION = 6 * _HOUR, 8760 * _HOUR
_ROTATION_WRONG = Answer.refused("The rotation time is less than 6 hours or more than 8760 hours")


class SecretActions:
    """Answers from a store of secrets, whose values are encrypted with the keys of another store."""

    def __init__(self, secrets: SecretStore, keys: KeyStore, now: Callable[[], int]) -> None:
        self._secrets = secrets
        self._keys = keys
        self._now = now
        self.actions: Mapping[str, Action] = {
            "CreateSecret": self._create,
            "UpdateSecretDesc": self._describe_anew,
            "PutSecretValue": self._put,
            "ListSecretVersionIds": self._list_versions,
            "ListSecrets": self._list,
            "DescribeSecret": self._describe,
            "DeleteSecret": self._delete,
            "GetSecretValue": self._get,
            "RestoreSecret": self._restore,
        }

    def _create(self, account: Account, payload: Payload) -> Answer:
        name, now = payload["secretName"], self._now()
        if self._find(account, name):
            return Answer.refused("Secret name already exists, cannot use the same secret name")
        key = payload.get("encryptionKeyId") or None
        sealed = self._sealed(account, key, payload["secretData"])
        interval = payload.get("rotationInterval") or None
        period = _period(interval) if interval else None
        if period is not None and not _SHORTEST_ROTATION <= period <= _LONGEST_ROTATION:
            return _ROTATION_WRONG
        rotation = now + period if period else None
        description = payload.get("description")
        self._secrets.put(StoredSecret(account.appid, name, key, description, now, None, interval, rotation))
        self._secrets.add_version(account.appid, name, sealed, now)
        return Answer.success({}, f"The {name} create success.")

    def _describe_anew(self, account: Account, payload: Payload) -> Answer:
        secret = self._find(account, payload["secretName"])
        if secret is None:
            return Answer.refused("Cannot find secretName")
        if secret.is_leaving:
            return Answer.refused("Can not modify a deleted secret.")
        self._secrets.put(replace(secret, description=payload.get("description")))
        return Answer.success({}, "Update secret description success.")

    def _put(self, account: Account, payload: Payload) -> Answer:
        secret = self._find(account, payload["secretName"])
        if secret is None:
            return Answer.refused("Can not find secretName")
        if secret.is_leaving:
            return Answer.refused("Can not put value for a deleted secret.")
        sealed = self._sealed(account, secret.encryption_key, payload["secretData"])
        self._secrets.add_version(account.appid, secret.name, sealed, self._now())
        return Answer.success({}, f"The {secret.name} new version put success.")

    def _list_versions(self, account: Account, payload: Payload) -> Answer:
        name = payload["secretName"]
        secret = self._find(account, name)
        versions = self._secrets.versions(account.appid, name) if secret and not secret.is_leaving else ()
        ids = [{"versionId": version.version, "createTime": version.create_time} for version in versions]
        result = {"secretName": name, "totalCount": len(ids), "versionIds": ids}
        return Answer.success(result, "List secret versionIds success.")

    def _list(self, account: Account, payload: Payload) -> Answer:
        name = payload.get("secretName")
        listed = [
            _listed(one) for one in self._secrets.of_account(account.appid, self._now()) if name in (None, "", one.name)
        ]
        return Answer.success({"totalCount": len(listed), "secretList": listed}, "List secrets success.")

    def _describe(self, account: Account, payload: Payload) -> Answer:
        secret = self._find(account, payload["secretName"])
        if secret is None:
            return Answer.success({}, "Describe secrets success.")
        rotation = {
            "rotationInterval": secret.rotation_interval,
            "lastRotationDate": "",
            "nextRotationDate": secret.next_rotation,
        }
        result = _listed(secret) | (rotation if secret.rotation_interval else {})
        return Answer.success(result, "Describe secrets success.")

    def _delete(self, account: Account, payload: Payload) -> Answer:
        name, force = payload["secretName"], payload.get("forceDelete") or ""
        if force and force.upper() not in ("TRUE", "FALSE"):
            return Answer.refused("The forceDelete must be true or false")
        secret = self._find(account, name)
        if secret is None:
            return Answer.refused("Delete error, Can not find the secretName")
        if force == "true":
            self._secrets.delete(account.appid, name)
            return Answer.success({}, f"The {name} delete success")
        days = int(payload.get("recoveryPeriod") or _DEFAULT_RECOVERY)
        self._secrets.put(replace(secret, planned_delete_time=self._now() + days * _DAY))
        return Answer.success({}, f"The {name} will be deleted after {days} days.")

    def _get(self, account: Account, payload: Payload) -> Answer:
        name, wanted = payload["secretName"], payload.get("versionId")
        secret = self._find(account, name)
        if secret is None or secret.is_leaving:
            return Answer.refused(f"Can't find the {name}'s value.")
        versions = self._secrets.versions(account.appid, name)
        found = [one for one in versions if one.version == wanted] if wanted else versions[-1:]
        if not found:
            return Answer.success({}, "successful")
        version, (keyspec, material) = found[0], self._key(account, secret.encryption_key)
        data = symmetric_keys.decrypt(keyspec, material, version.ciphertext, b"").decode("utf-8", "surrogatepass")
        result = {
            "secretName": name,
            "secretData": data,
            "versionId": version.version,
            "createTime": version.create_time,
        }
        return Answer.success(result, "successful")

    def _restore(self, account: Account, payload: Payload) -> Answer:
        secret = self._find(account, payload["secretName"])
        if secret is None:
            return Answer.refused("Can not restore secret, the secretName not find.")
        self._secrets.put(replace(secret, planned_delete_time=None))
        return Answer.success({}, f"The {secret.name} restore success.")

    def _find(self, account: Account, name: str) -> StoredSecret | None:
        return self._secrets.find(account.appid, name, self._now())

    def _sealed(self, account: Account, key: str | None, data: str) -> bytes:
        keyspec, material = self._key(account, key)
        return symmetric_keys.encrypt(keyspec, material, data.encode("utf-8", "surrogatepass"), b"")

    def _key(self, account: Account, keyid: str | None) -> tuple[str, bytes]:
        """Kind and bytes of the key that encrypts a secret; its being disabled is not looked at."""
        if keyid is None:
            return KeySpec.AES_GCM_256, self._keys.default_key(account.appid, os.urandom(32))
        key = self._keys.find(keyid)
        if key is None or key.appid != account.appid:
            raise RefusedError(Answer.refused("Cannot find cmk by keyid."))
        if key.keyspec not in KEY_BYTES or not key.material:
            raise RefusedError(Answer.enclave_refused())
        return key.keyspec, key.material


def _listed(secret: StoredSecret) -> dict[str, Any]:
    result: dict[str, Any] = {"secretName": secret.name}
    if secret.description:
        result["description"] = secret.description
    result["createTime"] = secret.create_time
    if secret.planned_delete_time:
        result["plannedDeleteTime"] = secret.planned_delete_time
    return result


def _period(interval: str) -> int:
    """Milliseconds; none for the comma, which passes for a unit."""
    number, unit = re.findall(r"[0-9]+|\D", interval)
    return int(number) * _UNITS.get(unit, 0)
