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
from ppmlctl.files import read_text
from ppmlctl.process_identity import ProcessIdentity


@contextmanager
def apply_lock(folder: Path, *, timeout: float = 0.0) -> Iterator[None]:
    """Holds the lock in `folder` (`.ppml`), waiting for it at most `timeout` seconds.

    Raises StateError that says who holds it and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "apply.json"
    lock = FileLock(folder / "apply.lock")
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise locked(_holder(note)) from None
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        process = str(ProcessIdentity.own() or "")
        content = {"host": socket.gethostname(), "pid": os.getpid(), "since": since, "process": process}
        note.write_text(json.dumps(content))
        yield
        note.unlink(missing_ok=True)
    finally:
        lock.release()


def locked(holder: str) -> StateError:
    """The error for an environment that another apply holds; `holder` says which and since when."""
    return StateError(
        Diagnostic(
            "environment-locked",
            "another apply runs on this environment",
            found=holder,
            why="two at once could make things twice",
            fix="wait for it to end, or say how many seconds to wait: --lock-timeout 600",
        )
    )


def _holder(note: Path) -> str:
    try:
        holder = json.loads(read_text(note))
        process = ProcessIdentity.parse(holder.get("process", ""))
        if process is None or not process.is_gone():  # else an earlier one was killed, and the next has not written yet
            return f"process {holder['pid']} on {holder['host']} holds it since {holder['since']}"
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    return "another process holds it"
