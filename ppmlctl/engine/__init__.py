"""Carrying plans out: sessions, order, parallelism, retries, records."""

from ppmlctl.engine.events import Event, Listener, Recap, Status, TaskFinished, TaskProgress, TaskStarted, Warned
from ppmlctl.engine.options import Options, lockfile_path
from ppmlctl.engine.session import Session
from ppmlctl.engine.whereabouts import Whereabouts
from ppmlctl.engine.workload_runs import WorkloadRun

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
    "Whereabouts",
    "WorkloadRun",
    "lockfile_path",
]
