"""`ppmlctl sandbox …`"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path

import typer

from ppmlctl.engine.sandbox_state import sandbox_folder
from ppmlctl.sandbox import process


def up(file: Path, *, only: str | None, listen: str | None, as_json: bool) -> None:
    """Starts it, or finds it running."""
    _tell(process.up(sandbox_folder(file.parent), only=only, listen=listen), as_json=as_json)


def status(file: Path, *, as_json: bool) -> None:
    """Says whether it runs."""
    found = process.status(sandbox_folder(file.parent))
    _tell(found.sandbox if found else None, as_json=as_json)


def down(file: Path) -> None:
    """Stops it."""
    stopped = process.down(sandbox_folder(file.parent))
    typer.echo("the sandbox is stopped" if stopped else "the sandbox did not run")


def env(file: Path) -> None:
    """Lines for `eval`."""
    for name, value in process.environment(sandbox_folder(file.parent)).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _tell(running: process.Sandbox | None, *, as_json: bool) -> None:
    told = {name: str(value) for name, value in asdict(running).items() if value is not None} if running else {}
    if as_json:
        typer.echo(json.dumps({"running": running is not None, **told}))
    elif running is None:
        typer.echo("the sandbox does not run")
    else:
        typer.echo("\n".join(f"{name:<15} {value}" for name, value in told.items()))
