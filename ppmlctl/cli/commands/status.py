"""`ppmlctl status`"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from ppmlctl.cli.style import Style
from ppmlctl.cli.terminal_text import on_one_line
from ppmlctl.engine import Options, Session


def status(file: Path, *, as_json: bool) -> None:
    """What the lockfile records; pending intents of an interrupted apply are named."""
    session = Session(Options(file))
    lockfile = session.store.lockfile
    if as_json:
        tasks = {a: {"module": e.module, "evidence": e.evidence} for a, e in sorted(session.recorded.items())}
        told = {"environment": lockfile.environment, "target": lockfile.target, "serial": lockfile.serial}
        typer.echo(json.dumps({**told, "tasks": tasks, "interrupted": sorted(lockfile.intents)}, ensure_ascii=False))
        return
    style = Style.of(sys.stdout)
    typer.echo(f"{style.bold(session.environment.name)}  target {lockfile.target or '-'}  serial {lockfile.serial}")
    for address, entry in sorted(session.recorded.items()):
        evidence = str(entry.evidence) if entry.evidence else ""
        typer.echo(f"  {on_one_line(address):<28} {entry.module:<20} {style.dim(evidence)}".rstrip())
    for address, intent in sorted(lockfile.intents.items()):
        state, then = ("failed", "tries again") if intent.get("failed") else ("interrupted", "picks it up")
        typer.echo(f"  {on_one_line(address):<28} {style.yellow(state)}; the next apply {then}")
    if not session.recorded:
        typer.echo("  nothing applied yet")
