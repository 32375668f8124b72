"""SIGTERM ends a command as Ctrl-C does: what runs is finished and recorded, and the lease is given back.

Whoever ends a CI job, a pod or a service sends it. Left to itself it would end the process at once, and other machines
would wait for the lease to run out.
"""

from __future__ import annotations

import signal
from types import FrameType

_EXIT_CODE = 128 + signal.SIGTERM


class Termination:
    """Makes SIGTERM a KeyboardInterrupt of the main thread, and remembers that it was one."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def exit_code(self, interrupted: int) -> int:
        """The exit code for a command that was interrupted: by SIGTERM 143, else the given one."""
        return _EXIT_CODE if self._asked else interrupted

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt
