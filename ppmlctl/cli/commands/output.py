"""`ppmlctl output`"""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ppmlctl.cli.plan_view import masked, whole
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.engine import Options, Session


def output(file: Path, name: str | None, *, as_json: bool) -> None:
    """All outputs, or one alone as plain text."""
    outputs = masked(Session(Options(file)).outputs())
    if name is not None:
        if name not in outputs:
            known = ", ".join(outputs) or "none yet; apply first"
            raise InputError(
                Diagnostic("output-unknown", "there is no such output", found=name, fix=f"outputs: {known}")
            )
        typer.echo(json.dumps(outputs[name], ensure_ascii=False) if as_json else whole(outputs[name]))
    elif as_json:
        typer.echo(json.dumps(outputs, ensure_ascii=False, indent=2))
    else:
        for key, value in outputs.items():
            typer.echo(f"{key} = {whole(value)}")
