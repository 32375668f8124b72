"""`ppmlctl validate`"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from ppmlctl.cli.errors import as_data, text_of
from ppmlctl.cli.style import Style
from ppmlctl.engine import Options, Session


def validate(file: Path, *, as_json: bool) -> None:
    """Says what is worth a warning; errors are raised."""
    session = Session(Options(file))
    dropped, notes = session.foreseen_warnings()
    warnings = [*session.warnings, *dropped]
    if as_json:
        found = {
            "valid": True,
            "tasks": len(session.expanded.tasks),
            "warnings": [*map(as_data, warnings), *({"message": note} for note in notes)],
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    style = Style.of(sys.stdout)
    for warning in warnings:
        typer.echo(text_of(warning, style) + "\n")
    for note in notes:
        typer.echo(f"{style.yellow('note')}: {note}\n")
    typer.echo(f"{file} is valid: {len(session.expanded.tasks)} tasks.")
