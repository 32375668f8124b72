"""Keys of accounts, in the service's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from ppmlctl.sandbox.ehsm.database import Database


@dataclass(frozen=True)
class StoredKey:
    """A key; times in milliseconds since 1970."""

    keyid: str
    appid: str
    keyspec: str
    origin: str
    keyusage: str
    material: bytes
    """Bytes of a symmetric key, PKCS#8 of another; empty until an external key is imported."""
    create_time: int
    expire_time: int
    enabled: int = 1
    import_key: bytes | None = None
    """The private key that an import is wrapped for, as PKCS#8."""


_EARLY = 10 * 24 * 60 * 60 * 1000
"""Milliseconds before its expiry at which the real service's daily job takes a key away."""
_COLUMNS = ", ".join(field.name for field in fields(StoredKey))


class KeyStore:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: StoredKey) -> None:
        """Keeps a key, in place of the one of its id."""
        marks = ", ".join("?" for _ in fields(StoredKey))
        with self._database.transaction() as database:
            database.execute(f"INSERT OR REPLACE INTO keys ({_COLUMNS}) VALUES ({marks})", astuple(key))  # noqa: S608 - names of this class's fields

    def find(self, keyid: str) -> StoredKey | None:
        """The key of this id, whoever owns it."""
        with self._database.transaction() as database:
            row = database.execute(f"SELECT {_COLUMNS} FROM keys WHERE keyid = ?", (keyid,)).fetchone()  # noqa: S608 - the same
        return StoredKey(*row) if row else None

    def of_account(self, appid: str, now: int) -> Sequence[StoredKey]:
        """All keys of an account, oldest first; those near their expiry go now, for want of a daily job."""
        query = f"SELECT {_COLUMNS} FROM keys WHERE appid = ? ORDER BY create_time, rowid"  # noqa: S608 - the same
        with self._database.transaction() as database:
            database.execute("DELETE FROM keys WHERE expire_time < ?", (now + _EARLY,))
            return [StoredKey(*row) for row in database.execute(query, (appid,))]

    def delete(self, appid: str, keyid: str) -> None:
        """Takes one key of an account away, if it is there."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM keys WHERE appid = ? AND keyid = ?", (appid, keyid))

    def delete_all(self, appid: str) -> None:
        """Takes all keys of an account away."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM keys WHERE appid = ?", (appid,))

    def default_key(self, appid: str, fresh: bytes) -> bytes:
        """The key that the account's secrets are encrypted with where they name none; `fresh` if it has none yet."""
        with self._database.transaction() as database:
            database.execute("INSERT OR IGNORE INTO default_keys VALUES (?, ?)", (appid, fresh))
            found = database.execute("SELECT material FROM default_keys WHERE appid = ?", (appid,)).fetchone()
        return bytes(found[0])
