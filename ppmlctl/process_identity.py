"""Which process is meant, beyond its number: so that one that ended is told from another that got its number."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ppmlctl.files import read_text

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of one boot of one kernel, within one pid namespace (a container has its own)."""

    boot: str
    namespace: str
    pid: int
    start_time: int
    """Clock ticks since boot."""

    def __str__(self) -> str:
        return f"{self.boot} {self.namespace} {self.pid} {self.start_time}"

    @classmethod
    def parse(cls, text: str) -> ProcessIdentity | None:
        """What `str` gave; None for anything else."""
        try:
            boot, namespace, pid, start_time = text.split()
            return cls(boot, namespace, int(pid), int(start_time))
        except ValueError:
            return None

    @classmethod
    def own(cls) -> ProcessIdentity | None:
        """The process that asks; None where the system has no /proc to tell by."""
        return _here(os.getpid(), start_time_of(os.getpid()))

    def is_gone(self) -> bool:
        """Whether it is known to have ended: it was of this kernel and namespace, and is not here any more."""
        if _here(self.pid, self.start_time) != self:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # another user's, and there; /proc may hide it
        started = start_time_of(self.pid)
        return started != self.start_time and (started is not None or _is_listed(self.pid))


def start_time_of(pid: int) -> int | None:
    """When a living process started, in clock ticks since boot; None where there is none (proc_pid_stat(5))."""
    try:
        text = read_text(Path(f"/proc/{pid}/stat"), errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def _here(pid: int, start_time: int | None) -> ProcessIdentity | None:
    try:
        boot, namespace = read_text(_BOOT).strip(), str(_NAMESPACE.readlink())
    except OSError:
        return None
    return ProcessIdentity(boot, namespace, pid, start_time) if start_time is not None else None


def _is_listed(pid: int) -> bool:
    """Whether /proc shows the process at all: one that it shows as ended is a zombie."""
    return Path(f"/proc/{pid}/stat").exists()
