"""Secrets of accounts and their versions, in the service's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from ppmlctl.sandbox.ehsm.database import Database


@dataclass(frozen=True)
class StoredSecret:
    """What is known of a secret but its versions; times in milliseconds since 1970."""

    appid: str
    name: str
    encryption_key: str | None
    description: str | None
    create_time: int
    planned_delete_time: int | None = None
    rotation_interval: str | None = None
    next_rotation: int | None = None

    @property
    def is_leaving(self) -> bool:
        """Whether it waits for its deletion."""
        return self.planned_delete_time is not None


@dataclass(frozen=True)
class SecretVersion:
    """One value of a secret."""

    version: int
    ciphertext: bytes
    create_time: int


_COLUMNS = ", ".join(field.name for field in fields(StoredSecret))


class SecretStore:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, secret: StoredSecret) -> None:
        """Keeps what is known of a secret."""
        marks = ", ".join("?" for _ in fields(StoredSecret))
        with self._database.transaction() as database:
            database.execute(
                f"INSERT OR REPLACE INTO secrets ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - names of this class's fields
                astuple(secret),
            )

    def find(self, appid: str, name: str, now: int) -> StoredSecret | None:
        """A secret of the account."""
        return next((one for one in self.of_account(appid, now) if one.name == name), None)

    def of_account(self, appid: str, now: int) -> Sequence[StoredSecret]:
        """All secrets of an account, those that wait for their deletion too, by creation."""
        query = f"SELECT {_COLUMNS} FROM secrets WHERE appid = ? ORDER BY create_time, rowid"  # noqa: S608 - the same
        with self._database.transaction() as database:
            for (name,) in database.execute(
                "SELECT name FROM secrets WHERE appid = ? AND planned_delete_time <= ?", (appid, now)
            ).fetchall():
                _delete(database, appid, name)
            return [StoredSecret(*row) for row in database.execute(query, (appid,))]

    def delete(self, appid: str, name: str) -> None:
        """Takes a secret and its versions away."""
        with self._database.transaction() as database:
            _delete(database, appid, name)

    def add_version(self, appid: str, name: str, ciphertext: bytes, now: int) -> None:
        """Keeps another value; the numbers count from 1."""
        with self._database.transaction() as database:
            database.execute(
                "INSERT INTO secret_versions SELECT ?, ?, COALESCE(MAX(version), 0) + 1, ?, ?"
                " FROM secret_versions WHERE appid = ? AND name = ?",
                (appid, name, ciphertext, now, appid, name),
            )

    def versions(self, appid: str, name: str) -> Sequence[SecretVersion]:
        """All values, the newest last."""
        query = (
            "SELECT version, ciphertext, create_time FROM secret_versions WHERE appid = ? AND name = ? ORDER BY version"
        )
        with self._database.transaction() as database:
            return [SecretVersion(*row) for row in database.execute(query, (appid, name))]


def _delete(database: sqlite3.Connection, appid: str, name: str) -> None:
    for table in ("secrets", "secret_versions"):
        database.execute(f"DELETE FROM {table} WHERE appid = ? AND name = ?", (appid, name))  # noqa: S608 - the two names above
