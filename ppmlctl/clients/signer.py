"""External signers: a program of the user's that asks an HSM, a smart card or a service to sign.

The message goes to its standard input, the raw signature comes from its standard output. No shell, no terminal, no
secret of ours: the vault's password is taken out of its environment. What it answers is for the caller to verify.

Faults: `signer-missing`, `signer-failed`, `signer-timeout`, `signer-stopped`.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO

from ppmlctl.clients.users_program import last_words, without_our_variables
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.effects import Effect, Effects

_MOST_ANSWER = 1 << 16
_MOST_COMPLAINT = 1 << 12
_LOOK_AGAIN = 0.1
_LINGER = 1.0
"""Seconds."""


@dataclass(frozen=True)
class SigningCommand:
    """`arguments` are run in `folder`; `time_limit` in seconds. `stopping` ends the wait."""

    effects: Effects
    arguments: Sequence[str]
    folder: Path
    time_limit: float
    stopping: Event = field(default_factory=Event)

    def answer_to(self, message: bytes) -> bytes:
        """What the program writes to its standard output when it is given `message`, cut after 64 KiB.

        Raises EngineError where it cannot be started, fails, takes too long, or the user stops; in the last two cases
        it is ended, with all processes of its group.
        """
        with self.effects.operation(Effect.WRITE, f"sign by {self._program}"):
            try:
                process = self._started()
            except (OSError, ValueError) as error:
                raise EngineError(self._missing(error)) from None
            return self._answer(process, message)

    def _started(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(  # noqa: S603 - the user's own command, as a list, without a shell
            list(self.arguments),
            cwd=self.folder,
            env=without_our_variables(os.environ),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )

    def _answer(self, process: subprocess.Popen[bytes], message: bytes) -> bytes:
        given, out, err = process.stdin, process.stdout, process.stderr
        assert given is not None and out is not None and err is not None  # noqa: S101, PT018 - three pipes were asked for
        answer, complaint = _Collected(out, _MOST_ANSWER), _Collected(err, _MOST_COMPLAINT)
        try:
            with suppress(BrokenPipeError), given:
                given.write(message)
            ended = self._wait(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        answer.join()
        complaint.join()
        if not ended:
            raise EngineError(self._stopped() if self.stopping.is_set() else self._too_slow(complaint.last))
        if process.returncode != 0:
            raise EngineError(self._failed(process.returncode, complaint.last))
        return answer.first

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it ended by itself."""
        deadline = time.monotonic() + self.time_limit
        while not self.stopping.is_set() and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_AGAIN)
                return True
        return False

    @property
    def _program(self) -> str:
        return Path(self.arguments[0]).name

    @property
    def _shown(self) -> str:
        return shlex.join(self.arguments)

    def _missing(self, error: OSError | ValueError) -> Diagnostic:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        title, fix = "the external signer cannot be started", "correct enclave.signer.command, or install the program"
        return Diagnostic("signer-missing", title, f"{self._shown}: {words}", fix=fix)

    def _failed(self, code: int, complaint: str) -> Diagnostic:
        ending = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        title, fix = "the external signer failed", "run it by hand on the output of `ppmlctl enclave digest`"
        return Diagnostic("signer-failed", title, f"{self._shown} {ending}{_quoted(complaint)}", fix=fix)

    def _too_slow(self, complaint: str) -> Diagnostic:
        title, fix = "the external signer took too long", "raise enclave.signer.time_limit, or see what it waits for"
        found = f"{self._shown} did not end within {self.time_limit:g} seconds{_quoted(complaint)}"
        return Diagnostic("signer-timeout", title, found, "it was ended; nothing is signed", fix)

    def _stopped(self) -> Diagnostic:
        return Diagnostic("signer-stopped", "the external signer was stopped", self._shown, fix="apply again")


class _Collected:
    """Reads a stream to its end in a thread of its own and keeps the beginning and the end of it."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.first = b""
        self._last = b""
        self._stream, self._most = stream, most
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last(self) -> str:
        """The last lines as printable text, cut to a message's size."""
        return last_words(self._last.decode(errors="replace"))

    def join(self) -> None:
        """Waits for the end; not long, since a process that left the group may hold the stream open."""
        self._thread.join(_LINGER)

    def _read(self) -> None:
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), self._most):
                self.first += chunk[: self._most - len(self.first)]
                self._last = (self._last + chunk)[-self._most :]


def _quoted(complaint: str) -> str:
    return f"; its last words:\n{complaint}" if complaint else ""
