"""`ppmlctl cancel`"""

from __future__ import annotations

from pathlib import Path

import typer

from ppmlctl.cli.run_view import listening
from ppmlctl.engine.operations import operation


def cancel(file: Path, workload: str) -> None:
    """Ends the run, whoever waits for it: an apply that does sees its end, and calls it a failure."""
    with listening(as_json=False) as listener, operation(file, listener, beside_an_apply=True) as session:
        ended = session.cancel(workload)
    typer.echo(f"{workload}: {'ended ' + ended if ended else 'does not run'}")
