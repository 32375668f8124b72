"""`ppmlctl graph`"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ppmlctl.cli.style import Style
from ppmlctl.engine import Options, Session
from ppmlctl.planning import Task, in_order


def graph(file: Path, output: str) -> None:
    """The tasks in the order of their needs."""
    tasks = in_order(Session(Options(file)).expanded.tasks)
    if output == "json":
        nodes = [{"address": t.address, "module": t.module, "needs": sorted(t.needs)} for t in tasks]
        typer.echo(json.dumps(nodes, ensure_ascii=False, indent=2))
    elif output == "dot":
        typer.echo(_dot(tasks))
    else:
        style = Style.of(sys.stdout)
        for task in tasks:
            needs = f"  ← {', '.join(sorted(task.needs))}" if task.needs else ""
            typer.echo(f"{style.bold(task.address)}  {style.dim(task.module)}{needs}")


def _dot(tasks: Sequence[Task]) -> str:
    lines = [f'  "{task.address}" [label="{task.address}\\n{task.module}"];' for task in tasks]
    lines += [f'  "{need}" -> "{task.address}";' for task in tasks for need in sorted(task.needs)]
    return "\n".join(["digraph ppml {", "  rankdir=LR;", "  node [shape=box];", *lines, "}"])
