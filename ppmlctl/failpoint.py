"""Named instants at which the crash tests end the process.

A failpoint stands before and after each effect: a call that writes to an engine, a file that is put in place, and so
each record, which is the lockfile put in place. `PPMLCTL_FAILPOINT=N` kills the process with SIGKILL at the N-th one
reached; `PPMLCTL_FAILPOINT=raise:N` raises there instead; `PPMLCTL_FAILPOINT_LOG=FILE` appends the name of each one
reached. Without them a failpoint does nothing.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading

_reached = itertools.count(1)
_lock = threading.Lock()


class FailpointError(RuntimeError):
    """The fault that `PPMLCTL_FAILPOINT=raise:N` plants."""


def failpoint(name: str) -> None:
    """Marks one instant between effects; see the module's text."""
    wanted, log = os.environ.get("PPMLCTL_FAILPOINT"), os.environ.get("PPMLCTL_FAILPOINT_LOG")
    if wanted is None and log is None:
        return
    with _lock:
        number = next(_reached)
        if log:
            with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123 - appended on a hot path, no Path needed
                file.write(f"{number} {name}\n")
        if wanted == str(number):
            os.kill(os.getpid(), signal.SIGKILL)
        if wanted == f"raise:{number}":
            raise FailpointError(f"planted at {name}")
