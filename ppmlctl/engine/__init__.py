"""Carrying plans out: sessions, order, parallelism, retries, records."""

from ppmlctl.engine.events import Event, Listener, Recap, Status, TaskFinished, TaskProgress, TaskStarted, Warned
from ppmlctl.engine.session import Options, Session, lockfile_path

__all__ = [
    "Event",
    "Listener",
    "Options",
    "Recap",
    "Session",
    "Status",
    "TaskFinished",
    "TaskProgress",
    "TaskStarted",
    "Warned",
    "lockfile_path",
]
