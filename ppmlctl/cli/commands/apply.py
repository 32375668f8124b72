"""`ppmlctl apply` and `ppmlctl destroy`"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from getpass import getpass
from pathlib import Path

import typer

from ppmlctl.cli.plan_view import plan_text
from ppmlctl.cli.recap_view import recap_as_data, recap_text
from ppmlctl.cli.run_view import listening
from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.engine import Options, Recap, Session, lockfile_path
from ppmlctl.engine.plan_identity import Digest, PlanIdentity, identify
from ppmlctl.engine.sandbox_state import STATE_FOLDER
from ppmlctl.engine.saved_plan import check_same, digest_by_password, read_plan
from ppmlctl.planning import Plan, Tags
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
    replace: tuple[str, ...] = ()
    tags: Tags = field(default_factory=Tags)
    parallel: int = 8
    rerun: frozenset[str] = frozenset()
    as_json: bool = False

    def options(self, *, writes_allowed: bool) -> Options:
        """How the environment is opened; the vault's password is asked for on a terminal, once."""
        return Options(
            self.file,
            writes_allowed=writes_allowed,
            move=self.move,
            accept_lockfile=self.accept_lockfile,
            lock_timeout=self.lock_timeout,
            force_conflicts=self.force_conflicts,
            rotate=self.rotate,
            replace=self.replace,
            tags=self.tags,
            parallel=self.parallel,
            rerun=self.rerun,
            prompt=_ask_password if sys.stdin.isatty() else None,
        )


@cache
def _ask_password() -> str:
    return getpass("Vault password: ")


@dataclass(frozen=True)
class Shown:
    """A plan that was shown. `digest` is what its secrets are compared by; None: what the plan says."""

    plan: PlanIdentity
    digest: Digest | None = None

    def check(self, plan: Plan, session: Session, *, as_json: bool) -> None:
        """Refuses another plan than what was shown, after showing it. Raises StateError."""
        cluster = session.cluster_identity(plan) if self.plan.cluster else {}
        by_password = digest_by_password(session, self.plan.salt) if self.plan.salt else session.digest
        now = identify(plan, session, self.digest or by_password, cluster=cluster)
        try:
            check_same(self.plan, now, session.options.file)
        except StateError:
            session.exclusion.refuse_beside_another()  # by whom the world is being moved
            if not as_json:
                typer.echo(_introduction(plan, session))
            raise


def apply(wish: Wish) -> int:
    """Plans, asks, runs, and tells how it ended."""
    shown = Shown(read_plan(wish.saved)) if wish.saved else None
    wish = _as_shown(wish, shown.plan) if shown else wish
    if not wish.file.is_file():
        Session(Options(wish.file))  # says what is wrong with it, and leaves no folder behind
    if wish.destroy and not Session(wish.options(writes_allowed=False)).recorded:
        typer.echo(json.dumps({"recap": Recap().counts(), "outputs": {}}) if wish.as_json else "Nothing is recorded.")
        return 0
    with apply_lock(wish.file.parent / STATE_FOLDER, timeout=wish.lock_timeout):
        begun = None if lockfile_path(wish.file).exists() else _begin(wish, shown)
        if shown is None and not wish.yes:
            shown, begun = _show_and_ask(wish), None  # the files may change before the answer comes
            if shown is None:
                return 0
        return _run(wish, shown, begun)


def _as_shown(wish: Wish, plan: PlanIdentity) -> Wish:
    """The wish with what the saved plan was asked for; more cannot be asked of it."""
    asked = {"--rotate": wish.rotate, "--replace": wish.replace, "--rerun": wish.rerun}
    asked |= {"--tags": wish.tags.only, "--skip-tags": wish.tags.skip}
    more = [name for name, given in asked.items() if given]
    if more:
        title, why = "a saved plan is applied as it was shown", "what is asked for now was not in it"
        fix = "save a plan that has it, or apply without a saved one"
        raise InputError(Diagnostic("saved-plan-options", title, found=", ".join(more), why=why, fix=fix))
    tags = Tags(tuple(plan.tags), tuple(plan.skip_tags))
    return replace(wish, rotate=tuple(plan.rotate), replace=tuple(plan.replace), tags=tags)


def _begin(wish: Wish, shown: Shown | None) -> Session:
    """Before the first write for an environment without a lockfile: what must be refused leaves nothing behind."""
    session = Session(wish.options(writes_allowed=False))
    if shown is not None:
        shown.check(session.plan(), session, as_json=wish.as_json)
    session.begin()
    return session


def _show_and_ask(wish: Wish) -> Shown | None:
    """What the user agreed to; None where the answer is no."""
    session = Session(wish.options(writes_allowed=False))
    plan = session.plan(destroy=wish.destroy)
    digest = _digest_of_this_process()
    if plan.is_empty():
        return Shown(identify(plan, session, digest), digest)
    if not wish.as_json:
        typer.echo(plan_text(plan, session.warnings, Style.of(sys.stdout), session.whereabouts))
    if not sys.stdin.isatty():
        title = "there is no terminal to ask on"
        why = "apply changes what it shows only after a yes"
        raise InputError(Diagnostic("not-confirmed", title, why=why, fix="say it in advance: --yes"))
    session.check_vault()
    agreed = _is_named(session) if wish.destroy else typer.confirm(f"\nApply this plan to {session.whereabouts}?")
    return Shown(identify(plan, session, digest), digest) if agreed else None


def _is_named(session: Session) -> bool:
    """Whether the user types the name of the environment that is to be destroyed."""
    question = f"\nTo destroy {session.whereabouts}, type its name"
    typed = typer.prompt(question, default="", show_default=False, prompt_suffix=": ")
    if typed.strip() == session.environment.name:
        return True
    typer.echo("That is not its name. Nothing was done.")
    return False


def _digest_of_this_process() -> Digest:
    """By a key that ends with this process: a plan that is answered at once is compared without a vault."""
    key = os.urandom(32)
    return lambda value: hmac.new(key, value, hashlib.sha256).hexdigest()


def _run(wish: Wish, shown: Shown | None, begun: Session | None) -> int:
    started = time.monotonic()
    session = Session(wish.options(writes_allowed=True), begun=begun)
    session.start_sandbox()
    recap = _carry_out(wish, session, shown)
    _tell(wish, recap, session, time.monotonic() - started)
    if recap.interrupted:
        return INTERRUPTED
    return 0 if recap.succeeded else ERROR


def _carry_out(wish: Wish, session: Session, shown: Shown | None) -> Recap:
    plan = session.plan(destroy=wish.destroy)
    if shown is not None and not session.exclusion.busy:
        shown.check(plan, session, as_json=wish.as_json)
    with ExitStack() as held:
        if session.needs_lease(plan):
            with listening(as_json=wish.as_json) as listener:
                moved = held.enter_context(session.lease(plan, listener))
            if moved:
                plan = session.plan(destroy=wish.destroy)
                if shown is not None:
                    shown.check(plan, session, as_json=wish.as_json)
        if shown is None and not wish.as_json:
            typer.echo(_introduction(plan, session))
        with listening(as_json=wish.as_json) as listener:
            return session.apply(plan, listener)


def _introduction(plan: Plan, session: Session) -> str:
    return plan_text(plan, session.warnings, Style.of(sys.stdout), session.whereabouts) + "\n"


def _tell(wish: Wish, recap: Recap, session: Session, seconds: float) -> None:
    if wish.as_json:
        typer.echo(json.dumps(recap_as_data(recap, session), ensure_ascii=False))
    else:
        typer.echo("\n" + recap_text(recap, session, seconds, Style.of(sys.stdout)))
