"""A user at a terminal: a command in a pseudo-terminal, its questions waited for and answered."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 120.0
_READ_AT_ONCE = 65536


class Terminal:
    """One command whose standard streams are a terminal of its own. `said` is all that it has printed."""

    def __init__(self, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        """Starts it."""
        self._ours, theirs = pty.openpty()
        self.said = ""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**variables, "TERM": "dumb", "COLUMNS": "200"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509 - one system call, which takes no lock
        )
        os.close(theirs)

    def answer(self, question: str, text: str) -> None:
        """Waits until it asks, and types a line."""
        self._until(question)
        os.write(self._ours, f"{text}\n".encode())

    def ended(self) -> int:
        """Waits for its end; its exit code."""
        self._until(None)
        code = self._process.wait(SECONDS)
        os.close(self._ours)
        return code

    def _until(self, question: str | None) -> None:
        """Reads on: to the question, or to the end."""
        deadline = time.monotonic() + SECONDS
        begin = len(self.said)
        while question is None or not re.search(question, self.said[begin:]):
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{question!r} was never said:\n{self.said}"
            chunk = self._read()
            assert chunk or question is None, f"it ended before {question!r}:\n{self.said}"
            if not chunk:
                return
            self.said += chunk

    def _read(self) -> str:
        try:
            return os.read(self._ours, _READ_AT_ONCE).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # EIO: nobody has the other side open any more
            return ""


def _own_terminal() -> None:
    """Makes the terminal the one that `/dev/tty` means, as a login does."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
