"""`ppmlctl plan`"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from ppmlctl.cli.plan_view import plan_as_data, plan_text
from ppmlctl.cli.style import Style
from ppmlctl.engine import Options, Session
from ppmlctl.engine.saved_plan import save_plan

NOTHING, CHANGES = 0, 2


def plan(options: Options, *, save: Path | None, as_json: bool) -> int:
    """Shows the plan; 0 where it is empty, 2 where it is not."""
    session = Session(options)
    found = session.plan()
    if as_json:
        typer.echo(json.dumps(plan_as_data(found, session.warnings, session.whereabouts), ensure_ascii=False, indent=2))
    else:
        typer.echo(plan_text(found, session.warnings, Style.of(sys.stdout), session.whereabouts))
    if save is not None:
        save_plan(save, found, session)  # after it was shown, for some cannot be saved
    return NOTHING if found.is_empty() else CHANGES
