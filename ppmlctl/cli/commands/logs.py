"""`ppmlctl logs`"""

from __future__ import annotations

from pathlib import Path

import typer

from ppmlctl.engine import Options, Session
from ppmlctl.modules._spark_logs import driver_log, executor_logs


def logs(file: Path, workload: str, *, follow: bool, executors: bool) -> None:
    """The driver's log, or the executors', of the last run; each line as it comes."""
    session = Session(Options(file))
    run = session.last_run(workload)
    read = executor_logs if executors else driver_log
    for line in read(session.engines.kubernetes, run.namespace, run.name, follow=follow):
        typer.echo(line)
