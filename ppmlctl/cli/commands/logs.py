"""`ppmlctl logs`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from ppmlctl.engine import Options, Session, WorkloadRun
from ppmlctl.runs.logs import driver_has_a_pod, driver_log, executor_logs, file_log


def logs(file: Path, workload: str, *, follow: bool, executors: bool) -> None:
    """The driver's log, or the executors', of the last run; each line as it comes."""
    session = Session(Options(file))
    for line in _lines(session, session.last_run(workload), follow=follow, executors=executors):
        typer.echo(line)


def _lines(session: Session, run: WorkloadRun, *, follow: bool, executors: bool) -> Iterator[str]:
    """A driver has a pod, or is in the client container; that submits drivers, too, and then comes first."""
    client = session.engines.kubernetes
    if executors:
        yield from executor_logs(client, run.namespace, run.name, follow=follow)
        return
    if run.runs and not driver_has_a_pod(client, run.namespace, run.name):
        yield from file_log(session.root / run.runs / run.name, follow=follow)
        if not driver_has_a_pod(client, run.namespace, run.name):
            return
    yield from driver_log(client, run.namespace, run.name, follow=follow)
