"""Operations on the secrets of an account. A secret has a name that is unique there, and every value it ever had."""

from __future__ import annotations

from ppmlctl.clients.ehsm.calls import Calls
from ppmlctl.ehsm import Account
from ppmlctl.ehsm.key_messages import SecretDescription, SecretList, SecretValue, SecretVersionId, SecretVersionList
from ppmlctl.secret import Secret


class SecretOperations:
    """Part of EhsmClient; raises as it does."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self, account: Account, name: str, data: Secret, *, description: str = "", encryption_key: str | None = None
    ) -> None:
        """Makes a secret of 1 to 4096 characters; without a key of its own, EHSM encrypts it with the account's."""
        payload = {"secretName": name, "secretData": data.reveal_text()}
        payload |= {"description": description} if description else {}
        payload |= {"encryptionKeyId": encryption_key} if encryption_key else {}
        self._calls.signed("CreateSecret", account, payload)

    def put(self, account: Account, name: str, data: Secret) -> None:
        """Adds a value, which is the current one from now on."""
        self._calls.signed("PutSecretValue", account, {"secretName": name, "secretData": data.reveal_text()})

    def describe_anew(self, account: Account, name: str, description: str) -> None:
        """Changes a secret's description."""
        changed = {"description": description} if description else {}
        self._calls.signed("UpdateSecretDesc", account, {"secretName": name} | changed)

    def list(self, account: Account) -> tuple[SecretDescription, ...]:
        """All secrets of the account, those that wait for their deletion too."""
        return tuple(self._calls.parsed(SecretList, "ListSecrets", self._calls.signed("ListSecrets", account)).secrets)

    def describe(self, account: Account, name: str) -> SecretDescription | None:
        """What the server tells of a secret; None where there is none of this name."""
        result = self._calls.signed("DescribeSecret", account, {"secretName": name})
        return self._calls.parsed(SecretDescription, "DescribeSecret", result) if result else None

    def versions(self, account: Account, name: str) -> tuple[SecretVersionId, ...]:
        """The values that a secret had, oldest first; none for one that waits for its deletion."""
        result = self._calls.signed("ListSecretVersionIds", account, {"secretName": name})
        found = self._calls.parsed(SecretVersionList, "ListSecretVersionIds", result).versions
        return tuple(sorted(found, key=lambda one: one.version))

    def get(self, account: Account, name: str, version: int | None = None) -> SecretValue | None:
        """A secret's current value, or that of a version; None where it does not have this version."""
        asked = {"versionId": version} if version else {}
        result = self._calls.signed("GetSecretValue", account, {"secretName": name} | asked)
        return self._calls.parsed(SecretValue, "GetSecretValue", result) if result else None

    def delete(self, account: Account, name: str, *, recovery_days: int | None) -> None:
        """Lets a secret go after 1 to 365 days, within which it can be restored; None: at once, for good."""
        how = {"recoveryPeriod": recovery_days} if recovery_days else {"forceDelete": "true"}
        self._calls.signed("DeleteSecret", account, {"secretName": name} | how)

    def restore(self, account: Account, name: str) -> None:
        """Takes back a deletion that has not come yet."""
        self._calls.signed("RestoreSecret", account, {"secretName": name})
