"""`ppmlctl vault …`"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path

import typer

from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.engine import Options, Session
from ppmlctl.engine.sandbox_state import STATE_FOLDER
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.state import Vault, apply_lock


def list_entries(file: Path, *, as_json: bool) -> None:
    """Names only; works on a locked vault."""
    names = list(Session(Options(file)).vault.names())
    typer.echo(json.dumps(names) if as_json else "\n".join(names) or "the vault is empty")


def set_entry(file: Path, name: str) -> None:
    """Keeps a value that nobody else gets to see."""
    vault = _writable(file)
    with apply_lock(file.parent / STATE_FOLDER):
        vault.put(name, Secret(_ask(f"Value of {name}: ")))
    typer.echo(f"{name} is kept")


def show_entry(file: Path, name: str) -> None:
    """The plain value, for people and pipes."""
    vault = _writable(file)
    if name not in vault.names():
        raise _no_entry(name, vault)
    sys.stdout.write(vault.get(name).reveal_text() + ("\n" if sys.stdout.isatty() else ""))


def remove_entry(file: Path, name: str) -> None:
    """Drops an entry, unless the lockfile says that something was made with it."""
    session = Session(Options(file, writes_allowed=True, prompt=_prompt()))
    vault = _opened(session)
    if name not in vault.names():
        raise _no_entry(name, vault)
    users = sorted(address for address, entry in session.recorded.items() if f"vault:{name}" in _handles(entry))
    if users:
        title, why = "the lockfile records this entry", "it is never made anew, so its tasks would fail from now on"
        raise StateError(Diagnostic("vault-entry-used", title, f"{name}: {', '.join(users)}", why, "ppmlctl destroy"))
    with apply_lock(file.parent / STATE_FOLDER):
        vault.remove(name)
    typer.echo(f"{name} is gone")


def rekey(file: Path) -> None:
    """A new password for the same entries."""
    vault = _writable(file)
    with apply_lock(file.parent / STATE_FOLDER):
        vault.rekey(Secret(_ask("New vault password: ")))
    typer.echo("the vault has its new password")


def _writable(file: Path) -> Vault:
    return _opened(Session(Options(file, writes_allowed=True, prompt=_prompt())))


def _opened(session: Session) -> Vault:
    if isinstance(session.vault, Vault):
        return session.vault
    raise StateError(Diagnostic("vault-locked", "the vault is locked", fix="set PPML_VAULT_PASSWORD"))


def _handles(entry: Recorded) -> set[str | None]:
    return {value.handle for value in entry.result.values() if isinstance(value, Secret)}


def _prompt() -> Callable[[], str] | None:
    return (lambda: getpass("Vault password: ")) if sys.stdin.isatty() else None


def _ask(question: str) -> str:
    if sys.stdin.isatty():
        return getpass(question)
    return sys.stdin.read().removesuffix("\n")


def _no_entry(name: str, vault: Vault) -> InputError:
    known = ", ".join(vault.names()) or "none"
    return InputError(Diagnostic("vault-no-entry", "the vault has no such entry", found=name, fix=f"entries: {known}"))
