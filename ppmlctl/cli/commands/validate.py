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
    if as_json:
        found = {
            "valid": True,
            "tasks": len(session.expanded.tasks),
            "warnings": [as_data(w) for w in session.warnings],
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    style = Style.of(sys.stdout)
    for warning in session.warnings:
        typer.echo(text_of(warning, style) + "\n")
    typer.echo(f"{file} is valid: {len(session.expanded.tasks)} tasks.")
