"""`ppmlctl cancel`"""

from __future__ import annotations

from pathlib import Path

import typer

from ppmlctl.engine import Options, Session


def cancel(file: Path, workload: str) -> None:
    """Ends the run, whoever waits for it: an apply that does sees its end, and calls it a failure."""
    session = Session(Options(file))
    ended = session.cancel(workload)
    typer.echo(f"{workload}: {'ended ' + ended if ended else 'does not run'}")
