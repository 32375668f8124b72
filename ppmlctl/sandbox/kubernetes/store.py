"""The objects, in one SQLite file that survives restarts.

Objects of sealed kinds (Secret) lie in the file encrypted; the key stands in a file of its own beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppmlctl.files import PRIVATE
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.sealing import Seal
from ppmlctl.sandbox.kubernetes.status import internal
from ppmlctl.sandbox.storage import StorageError, storage_faults

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    owners TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revision (id INTEGER PRIMARY KEY CHECK (id = 0), value INTEGER NOT NULL);
INSERT OR IGNORE INTO revision VALUES (0, 1);
"""


class Store:
    """Objects by kind, namespace and name. Every write gets the next revision. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        """Opens `kubernetes.sqlite` in the folder, which must exist; makes it, mode 0600, where it is not there."""
        path = folder / "kubernetes.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE))
        self._seal = Seal(folder / "kubernetes.key")
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)

    def close(self) -> None:
        """Ends the use of the file."""
        self._database.close()

    @property
    def revision(self) -> int:
        """The revision of the last write."""
        row: tuple[int] = self._database.execute("SELECT value FROM revision").fetchone()
        return row[0]

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The object, or None."""
        query = "SELECT body FROM objects WHERE resource = ? AND namespace = ? AND name = ?"
        row = self._database.execute(query, (kind.plural, namespace, name)).fetchone()
        return self._decoded(row[0]) if row else None

    def list(self, kind: Kind, namespace: str | None = None, after: tuple[str, str] = ("", "")) -> Iterator[Json]:
        """The objects of a kind, in one namespace or all, ordered by namespace and name, from behind `after`."""
        query = "SELECT body FROM objects WHERE resource = ? AND (namespace, name) > (?, ?)"
        where = "" if namespace is None else " AND namespace = ?"
        values = (kind.plural, *after) if namespace is None else (kind.plural, *after, namespace)
        rows = self._database.execute(f"{query}{where} ORDER BY namespace, name", values)
        yield from (self._decoded(body) for (body,) in rows.fetchall())

    def owned_by(self, uid: str, kind: Kind) -> Iterator[Json]:
        """The objects of a kind whose ownerReferences name this uid."""
        query = "SELECT body FROM objects WHERE resource = ? AND instr(owners, ?) > 0"
        yield from (self._decoded(body) for (body,) in self._database.execute(query, (kind.plural, uid)).fetchall())

    def put(self, kind: Kind, obj: Json) -> Json:
        """Stores the object under the next revision and returns it as stored. Raises ApiError for a full disk."""
        metadata = obj["metadata"]
        with self._transaction():
            revision = self._next_revision()
            stored = {**obj, "metadata": {**metadata, "resourceVersion": str(revision)}}
            owners = " ".join(reference["uid"] for reference in metadata.get("ownerReferences", []))
            row = (kind.plural, metadata.get("namespace", ""), metadata["name"], owners, self._encoded(kind, stored))
            self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)
        return stored

    def delete(self, kind: Kind, obj: Json) -> Json:
        """Takes the object out and returns it under the revision of its end. Raises ApiError for a full disk."""
        metadata = obj["metadata"]
        with self._transaction():
            revision = self._next_revision()
            where = "resource = ? AND namespace = ? AND name = ?"
            key = (kind.plural, metadata.get("namespace", ""), metadata["name"])
            self._database.execute(f"DELETE FROM objects WHERE {where}", key)  # noqa: S608 - a constant
        return {**obj, "metadata": {**metadata, "resourceVersion": str(revision)}}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with storage_faults(), self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield
        except StorageError as error:
            raise internal(str(error)) from None

    def _next_revision(self) -> int:
        query = "UPDATE revision SET value = value + 1 RETURNING value"
        row: tuple[int] = self._database.execute(query).fetchone()
        return row[0]

    def _encoded(self, kind: Kind, obj: Json) -> bytes:
        body = json.dumps(obj, separators=(",", ":")).encode()
        return self._seal.seal(body) if kind.sealed else body

    def _decoded(self, body: bytes) -> Json:
        decoded: Json = json.loads(self._seal.open(body))
        return decoded
