"""Tells a disk that takes nothing more from every other fault: each service says so in its own form."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

WORDS = "nothing can be kept: the sandbox's disk is full or cannot be written"
_KINDS = frozenset({"FULL", "IOERR", "READONLY", "CANTOPEN"})
"""The second words of SQLite's names for such faults; what follows them tells more of the same."""


class StorageError(Exception):
    """What was asked for was not kept, and so not done."""

    def __init__(self) -> None:
        super().__init__(WORDS)


@contextmanager
def storage_faults() -> Iterator[None]:
    """Raises StorageError where SQLite cannot write its file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _kind_of(error) in _KINDS:
            raise StorageError from None
        raise


def _kind_of(error: sqlite3.OperationalError) -> str:
    """`FULL` of SQLITE_FULL, `IOERR` of SQLITE_IOERR_WRITE; empty for what Python raised by itself."""
    name: str = getattr(error, "sqlite_errorname", "")
    return name.removeprefix("SQLITE_").partition("_")[0]
