"""What an operation of a client does to the world, declared where it is defined.

`plan` gets clients whose `Effects` allow reads only; every operation asks before it sends, and counts what it sent.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from ppmlctl.diagnostics import Diagnostic, WriteRefusedError
from ppmlctl.failpoint import failpoint


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"


class Effects:
    """The gate and the counter of one client's operations. Safe for threads."""

    def __init__(self, engine: str, *, writes_allowed: bool) -> None:
        self.engine = engine
        self.writes_allowed = writes_allowed
        self.fence: Callable[[], None] | None = None
        """Asked before each write; raises where this process may not write any more."""
        self._sent: Counter[Effect] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def operation(self, effect: Effect, name: str) -> Iterator[None]:
        """Surrounds the sending of one request. Raises WriteRefusedError for a write where only reads are allowed."""
        self.admit(effect, name)
        if effect is Effect.WRITE:
            failpoint(f"before {self.engine} {name}")
        yield
        if effect is Effect.WRITE:
            failpoint(f"after {self.engine} {name}")

    def admit(self, effect: Effect, name: str) -> None:
        """Counts one operation that has failpoints of its own. Raises WriteRefusedError as `operation` does."""
        if effect is Effect.WRITE and not self.writes_allowed:
            title = "a write was tried while only reads are allowed"
            raise WriteRefusedError(Diagnostic("write-refused", title, found=f"{self.engine}: {name}"))
        if effect is Effect.WRITE and self.fence:
            self.fence()
        with self._lock:
            self._sent[effect] += 1

    def count(self, effect: Effect) -> int:
        """How many operations of this effect were sent."""
        with self._lock:
            return self._sent[effect]
