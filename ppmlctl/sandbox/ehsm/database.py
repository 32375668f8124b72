"""The service's SQLite file: durable at each transaction's end, and usable from several threads and after a kill.

It holds apikeys and keys as they are, where a real EHSM holds them sealed to its enclave: only its mode, 0600,
protects it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ppmlctl.files import PRIVATE
from ppmlctl.sandbox.storage import storage_faults

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (appid TEXT PRIMARY KEY, apikey TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS policies (
    policy_id TEXT PRIMARY KEY, appid TEXT NOT NULL, mr_enclave TEXT, mr_signer TEXT, create_time INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS keys (
    keyid TEXT PRIMARY KEY, appid TEXT NOT NULL, keyspec TEXT NOT NULL, origin TEXT NOT NULL, keyusage TEXT NOT NULL,
    material BLOB NOT NULL, create_time INTEGER NOT NULL, expire_time INTEGER NOT NULL, enabled INTEGER NOT NULL,
    import_key BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS default_keys (appid TEXT PRIMARY KEY, material BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS secrets (
    appid TEXT NOT NULL, name TEXT NOT NULL, encryption_key TEXT, description TEXT, create_time INTEGER NOT NULL,
    planned_delete_time INTEGER, rotation_interval TEXT, next_rotation INTEGER, PRIMARY KEY (appid, name)
) STRICT;
CREATE TABLE IF NOT EXISTS secret_versions (
    appid TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, ciphertext BLOB NOT NULL,
    create_time INTEGER NOT NULL, PRIMARY KEY (appid, name, version)
) STRICT;
"""


class Database:
    """One file, private to its owner."""

    def __init__(self, path: Path, tables: str = _TABLES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives its journal files the database's mode, so that none of them is ever readable by others.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE))
        path.chmod(PRIVATE)
        self._path = path
        with self.transaction() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(tables)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction; SQLite's own locks order them. Raises StorageError."""
        with storage_faults(), closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            yield database
