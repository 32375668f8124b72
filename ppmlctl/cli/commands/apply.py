"""`ppmlctl apply` and `ppmlctl destroy`"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from getpass import getpass
from pathlib import Path

import typer

from ppmlctl.cli.plan_view import plan_text
from ppmlctl.cli.recap_view import recap_as_data, recap_text
from ppmlctl.cli.run_view import listening
from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.engine import Options, Recap, Session, lockfile_path
from ppmlctl.engine.sandbox_state import STATE_FOLDER
from ppmlctl.engine.saved_plan import SavedPlan, check_unchanged, read_plan
from ppmlctl.planning import Plan
from ppmlctl.state import apply_lock

ERROR, INTERRUPTED = 1, 130


@dataclass(frozen=True)
class Wish:
    """What the user asked for."""

    file: Path
    saved: Path | None = None
    destroy: bool = False
    yes: bool = False
    move: bool = False
    accept_lockfile: bool = False
    lock_timeout: float = 0.0
    force_conflicts: bool = False
    rotate: tuple[str, ...] = ()
    parallel: int = 8
    rerun: frozenset[str] = frozenset()
    as_json: bool = False

    def options(self, file: Path, *, writes_allowed: bool) -> Options:
        """How the environment is opened; the vault's password is asked for on a terminal, once."""
        return Options(
            file,
            writes_allowed=writes_allowed,
            move=self.move,
            accept_lockfile=self.accept_lockfile,
            lock_timeout=self.lock_timeout,
            force_conflicts=self.force_conflicts,
            rotate=self.rotate,
            parallel=self.parallel,
            rerun=self.rerun,
            prompt=_ask_password if sys.stdin.isatty() else None,
        )


@cache
def _ask_password() -> str:
    return getpass("Vault password: ")


def apply(wish: Wish) -> int:
    """Plans, asks, runs, and tells how it ended."""
    shown = read_plan(wish.saved) if wish.saved else None
    file = shown.file if shown else wish.file
    wish = replace(wish, rotate=shown.rotate) if shown else wish
    if not file.is_file():
        Session(Options(file))  # says what is wrong with it, and leaves no folder behind
    if wish.destroy and not Session(wish.options(file, writes_allowed=False)).recorded:
        typer.echo(json.dumps({"recap": Recap().counts(), "outputs": {}}) if wish.as_json else "Nothing is recorded.")
        return 0
    with apply_lock(file.parent / STATE_FOLDER, timeout=wish.lock_timeout):
        if not lockfile_path(file).exists():
            Session(wish.options(file, writes_allowed=False)).begin()
        if shown is None and not wish.yes:
            shown = _show_and_ask(wish, file)
            if shown is None:
                return 0
        return _run(wish, file, shown)


def _show_and_ask(wish: Wish, file: Path) -> SavedPlan | None:
    """What the user agreed to; None where there is nothing to do or the answer is no."""
    session = Session(wish.options(file, writes_allowed=False))
    plan = session.plan(destroy=wish.destroy)
    if plan.is_empty():
        return SavedPlan.of(plan, session)
    if not wish.as_json:
        typer.echo(plan_text(plan, session.warnings, Style.of(sys.stdout)))
    if not sys.stdin.isatty():
        title = "there is no terminal to ask on"
        why = "apply changes what it shows only after a yes"
        raise InputError(Diagnostic("not-confirmed", title, why=why, fix="say it in advance: --yes"))
    return SavedPlan.of(plan, session) if typer.confirm("\nApply this plan?") else None


def _run(wish: Wish, file: Path, shown: SavedPlan | None) -> int:
    started = time.monotonic()
    session = Session(wish.options(file, writes_allowed=True))
    session.start_sandbox()
    recap = _carry_out(wish, session, shown)
    _tell(wish, recap, session, time.monotonic() - started)
    if recap.interrupted:
        return INTERRUPTED
    return 0 if recap.succeeded else ERROR


def _carry_out(wish: Wish, session: Session, shown: SavedPlan | None) -> Recap:
    plan = session.plan(destroy=wish.destroy)
    with ExitStack() as held:
        if session.needs_lease(plan):
            with listening(as_json=wish.as_json) as listener:
                moved = held.enter_context(session.lease(plan, listener))
            if moved:
                plan = session.plan(destroy=wish.destroy)
        if shown is not None:
            check_unchanged(shown, plan, session)
        elif not wish.as_json:
            typer.echo(_introduction(plan, session))
        with listening(as_json=wish.as_json) as listener:
            return session.apply(plan, listener)


def _introduction(plan: Plan, session: Session) -> str:
    return plan_text(plan, session.warnings, Style.of(sys.stdout)) + "\n"


def _tell(wish: Wish, recap: Recap, session: Session, seconds: float) -> None:
    if wish.as_json:
        typer.echo(json.dumps(recap_as_data(recap, session), ensure_ascii=False))
    else:
        typer.echo("\n" + recap_text(recap, session, seconds, Style.of(sys.stdout)))
