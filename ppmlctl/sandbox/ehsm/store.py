"""Accounts and quote policies. The accounts table is the one place of the sandbox that holds apikeys."""

from __future__ import annotations

import secrets
import string
import uuid
from dataclasses import dataclass

from ppmlctl.ehsm import Account
from ppmlctl.sandbox.ehsm.database import Database
from ppmlctl.secret import Secret

_ALPHABET = "".join(sorted(set(string.digits + string.ascii_letters) - set("IOlo")))
_APIKEY_LENGTH = 32


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as it was uploaded; both measurements are None for one uploaded without a payload."""

    mr_enclave: str | None
    mr_signer: str | None
    create_time: int
    """Milliseconds since 1970."""


class Store:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_account(self) -> Account:
        """Makes a new account."""
        apikey = "".join(secrets.choice(_ALPHABET) for _ in range(_APIKEY_LENGTH))
        account = Account(appid=str(uuid.uuid4()), apikey=Secret(apikey))
        with self._database.transaction() as database:
            database.execute("INSERT INTO accounts VALUES (?, ?)", (account.appid, apikey))
        return account

    def account(self, appid: str) -> Account | None:
        """The account of this id."""
        with self._database.transaction() as database:
            row = database.execute("SELECT apikey FROM accounts WHERE appid = ?", (appid,)).fetchone()
        return Account(appid=appid, apikey=Secret(row[0])) if row else None

    def add_policy(self, appid: str, policy: StoredPolicy) -> str:
        """Keeps a policy for an account and gives its new id."""
        policy_id = str(uuid.uuid4())
        row = (policy_id, appid, policy.mr_enclave, policy.mr_signer, policy.create_time)
        with self._database.transaction() as database:
            database.execute("INSERT INTO policies VALUES (?, ?, ?, ?, ?)", row)
        return policy_id

    def policy(self, appid: str, policy_id: str) -> StoredPolicy | None:
        """An account's policy; another account's is as good as none."""
        query = "SELECT mr_enclave, mr_signer, create_time FROM policies WHERE appid = ? AND policy_id = ?"
        with self._database.transaction() as database:
            row = database.execute(query, (appid, policy_id)).fetchone()
        return StoredPolicy(*row) if row else None
