"""One apply at a time on one environment: an advisory lock beside the lockfile, with a note of who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ppmlctl.diagnostics import Diagnostic, StateError


@contextmanager
def apply_lock(folder: Path) -> Iterator[None]:
    """Holds the lock in `folder` (`.ppml`). Raises StateError that says who holds it and since when."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "apply.json"
    lock = FileLock(folder / "apply.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _held(note) from None
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        note.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": since}))
        yield
        note.unlink(missing_ok=True)
    finally:
        lock.release()


def _held(note: Path) -> StateError:
    try:
        holder = json.loads(note.read_text())
        found = f"process {holder['pid']} on {holder['host']} holds it since {holder['since']}"
    except (OSError, ValueError, KeyError):
        found = "another process holds it"
    return StateError(
        Diagnostic(
            "environment-locked",
            "another apply runs on this environment",
            found=found,
            why="two at once could make things twice",
            fix="wait for it to end",
        )
    )
