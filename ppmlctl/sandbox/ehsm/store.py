"""Accounts and quote policies in SQLite. The accounts table is the one place of the sandbox that holds apikeys."""

from __future__ import annotations

import os
import secrets
import sqlite3
import string
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ppmlctl.ehsm import Account
from ppmlctl.files import PRIVATE
from ppmlctl.secret import Secret

_ALPHABET = "".join(sorted(set(string.digits + string.ascii_letters) - set("IOlo")))
_APIKEY_LENGTH = 32
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (appid TEXT PRIMARY KEY, apikey TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS policies (
    policy_id TEXT PRIMARY KEY, appid TEXT NOT NULL, mr_enclave TEXT, mr_signer TEXT, create_time INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as it was uploaded; both measurements are None for one uploaded without a payload."""

    mr_enclave: str | None
    mr_signer: str | None
    create_time: int
    """Milliseconds since 1970."""


class Store:
    """Durable at each call's end, and usable from several threads and after a kill at any instant."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives its journal files the database's mode, so that none of them is ever readable by others.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE))
        path.chmod(PRIVATE)
        self._path = path
        with self._database() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_TABLES)

    def add_account(self) -> Account:
        """Makes a new account."""
        apikey = "".join(secrets.choice(_ALPHABET) for _ in range(_APIKEY_LENGTH))
        account = Account(appid=str(uuid.uuid4()), apikey=Secret(apikey))
        with self._database() as database:
            database.execute("INSERT INTO accounts VALUES (?, ?)", (account.appid, apikey))
        return account

    def account(self, appid: str) -> Account | None:
        """The account of this id."""
        with self._database() as database:
            row = database.execute("SELECT apikey FROM accounts WHERE appid = ?", (appid,)).fetchone()
        return Account(appid=appid, apikey=Secret(row[0])) if row else None

    def add_policy(self, appid: str, policy: StoredPolicy) -> str:
        """Keeps a policy for an account and gives its new id."""
        policy_id = str(uuid.uuid4())
        row = (policy_id, appid, policy.mr_enclave, policy.mr_signer, policy.create_time)
        with self._database() as database:
            database.execute("INSERT INTO policies VALUES (?, ?, ?, ?, ?)", row)
        return policy_id

    def policy(self, appid: str, policy_id: str) -> StoredPolicy | None:
        """An account's policy; another account's is as good as none."""
        query = "SELECT mr_enclave, mr_signer, create_time FROM policies WHERE appid = ? AND policy_id = ?"
        with self._database() as database:
            row = database.execute(query, (appid, policy_id)).fetchone()
        return StoredPolicy(*row) if row else None

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction; SQLite's own locks order them."""
        with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            yield database
