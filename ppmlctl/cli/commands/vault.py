"""`ppmlctl vault …`"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path

import typer

from ppmlctl.cli.run_view import listening
from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.engine import Options, Session
from ppmlctl.engine.operations import operation
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.state import Vault


def list_entries(file: Path, *, as_json: bool) -> None:
    """Names only; works on a locked vault."""
    names = list(Session(Options(file)).vault.names())
    typer.echo(json.dumps(names) if as_json else "\n".join(names) or "the vault is empty")


def set_entry(file: Path, name: str) -> None:
    """Keeps a value that nobody else gets to see."""
    with _writable(file) as session:
        _opened(session).put(name, Secret(_ask(f"Value of {name}: ")))
    typer.echo(f"{name} is kept")


def show_entry(file: Path, name: str) -> None:
    """The plain value, byte for byte, for people and pipes."""
    vault = _opened(Session(Options(file, prompt=_prompt())))
    if name not in vault.names():
        raise _no_entry(name, vault)
    value = vault.get(name).reveal_bytes()
    sys.stdout.flush()
    sys.stdout.buffer.write(value + (b"\n" if sys.stdout.isatty() else b""))


def remove_entry(file: Path, name: str) -> None:
    """Drops an entry, unless the lockfile says that something was made with it."""
    with _writable(file) as session:
        vault = _opened(session)
        if name not in vault.names():
            raise _no_entry(name, vault)
        users = sorted(address for address, entry in session.recorded.items() if f"vault:{name}" in _handles(entry))
        if users:
            title, why = "the lockfile records this entry", "it is never made anew, so its tasks would fail from now on"
            raise StateError(
                Diagnostic("vault-entry-used", title, f"{name}: {', '.join(users)}", why, "ppmlctl destroy")
            )
        vault.remove(name)
    typer.echo(f"{name} is gone")


def rekey(file: Path) -> None:
    """A new password for the same entries."""
    with _writable(file) as session:
        _opened(session).rekey(Secret(_ask("New vault password: ")))
    typer.echo("the vault has its new password")


@contextmanager
def _writable(file: Path) -> Iterator[Session]:
    """The environment with its vault made where it is missing; no apply runs meanwhile."""
    prompt = _prompt()
    with listening(as_json=False) as listener, operation(file, listener, prompt=prompt) as session:
        yield session


def _opened(session: Session) -> Vault:
    if isinstance(session.vault, Vault) and not session.vault.is_locked():
        return session.vault
    if isinstance(session.vault, Vault):
        fix = "set PPML_VAULT_PASSWORD, name a key file (vault.key_file), or run on a terminal"
        raise StateError(Diagnostic("vault-locked", "the vault is locked", fix=fix))
    raise StateError(Diagnostic("vault-unmade", "there is no vault yet", fix="ppmlctl apply"))


def _handles(entry: Recorded) -> set[str | None]:
    return {value.handle for value in entry.result.values() if isinstance(value, Secret)}


def _prompt() -> Callable[[], str] | None:
    return (lambda: getpass("Vault password: ")) if sys.stdin.isatty() else None


def _ask(question: str) -> str | bytes:
    if sys.stdin.isatty():
        return getpass(question)
    return sys.stdin.buffer.read().removesuffix(b"\n")


def _no_entry(name: str, vault: Vault) -> InputError:
    known = ", ".join(vault.names()) or "none"
    return InputError(Diagnostic("vault-no-entry", "the vault has no such entry", found=name, fix=f"entries: {known}"))
