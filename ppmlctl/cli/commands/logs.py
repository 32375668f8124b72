"""`ppmlctl logs`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from ppmlctl.engine import Options, Session, WorkloadRun
from ppmlctl.runs.logs import LoggedRun, file_log, leader_has_a_pod, leader_log, worker_logs


def logs(file: Path, workload: str, *, follow: bool, executors: bool) -> None:
    """The driver's log, or the executors', of the last run; each line as it comes."""
    session = Session(Options(file))
    for line in _lines(session, session.last_run(workload), follow=follow, executors=executors):
        typer.echo(line)


def _lines(session: Session, run: WorkloadRun, *, follow: bool, executors: bool) -> Iterator[str]:
    """A driver has a pod, or is in the client container; that submits drivers, too, and then comes first."""
    logged = LoggedRun(session.engines.kubernetes, run.namespace, run.name, session.roles_of(run))
    if executors:
        yield from worker_logs(logged, follow=follow)
        return
    if run.runs and not leader_has_a_pod(logged):
        yield from file_log(session.root / run.runs / run.name, follow=follow)
        if not leader_has_a_pod(logged):
            return
    yield from leader_log(logged, follow=follow)
