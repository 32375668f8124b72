"""`ppmlctl logs`"""

from __future__ import annotations

from pathlib import Path

import typer

from ppmlctl.engine import Options, Session
from ppmlctl.modules._spark_logs import driver_has_a_pod, driver_log, executor_logs, file_log


def logs(file: Path, workload: str, *, follow: bool, executors: bool) -> None:
    """The driver's log, or the executors', of the last run; each line as it comes."""
    session = Session(Options(file))
    run = session.last_run(workload)
    client = session.engines.kubernetes
    if executors:
        lines = executor_logs(client, run.namespace, run.name, follow=follow)
    elif run.runs and not driver_has_a_pod(client, run.namespace, run.name):
        lines = file_log(session.root / run.runs / run.name, follow=follow)
    else:
        lines = driver_log(client, run.namespace, run.name, follow=follow)
    for line in lines:
        typer.echo(line)
