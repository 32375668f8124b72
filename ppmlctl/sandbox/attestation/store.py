"""Accounts and policies of the service. Durable at once, where the real one writes them every 30 seconds."""

from __future__ import annotations

import json
import secrets
import string
import uuid
from pathlib import Path

from ppmlctl.attestation import Account, Policy, PolicyType
from ppmlctl.sandbox.ehsm.database import Database
from ppmlctl.secret import Secret

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (app_id TEXT PRIMARY KEY, api_key TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS policies (
    policy_id TEXT PRIMARY KEY, app_id TEXT NOT NULL, type TEXT NOT NULL, fields TEXT NOT NULL
) STRICT;
"""
_ALPHABET = string.ascii_letters + string.digits
_KEY_LENGTH = 32


class Store:
    """Each call is one transaction."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _TABLES)

    def add_account(self) -> Account:
        """Makes a new account."""
        api_key = "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))
        account = Account(str(uuid.uuid4()), Secret(api_key))
        with self._database.transaction() as database:
            database.execute("INSERT INTO accounts VALUES (?, ?)", (account.app_id, api_key))
        return account

    def has(self, app_id: str | None, api_key: str | None) -> bool:
        """Whether there is this account with this key."""
        with self._database.transaction() as database:
            row = database.execute("SELECT api_key FROM accounts WHERE app_id = ?", (app_id,)).fetchone()
        return row is not None and api_key is not None and secrets.compare_digest(row[0].encode(), api_key.encode())

    def add_policy(self, app_id: str, policy: Policy) -> str:
        """Keeps a policy and gives its new id."""
        policy_id = str(uuid.uuid4())
        row = (policy_id, app_id, policy.type.value, json.dumps(dict(policy.fields)))
        with self._database.transaction() as database:
            database.execute("INSERT INTO policies VALUES (?, ?, ?, ?)", row)
        return policy_id

    def policy(self, policy_id: str) -> tuple[str, Policy] | None:
        """A policy and whose it is, whoever asks."""
        query = "SELECT app_id, type, fields FROM policies WHERE policy_id = ?"
        with self._database.transaction() as database:
            row = database.execute(query, (policy_id,)).fetchone()
        return (row[0], Policy(PolicyType(row[1]), json.loads(row[2]))) if row else None
