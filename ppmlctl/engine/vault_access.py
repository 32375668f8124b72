"""The environment's vault: open, locked, or not made yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

from ppmlctl.diagnostics import Diagnostic, Severity, StateError
from ppmlctl.engine.own_files import vault_of_neighbour
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.state import LockStore, Vault
from ppmlctl.state.lockfile import HANDLE
from ppmlctl.state.vault_password import (
    PasswordSources,
    find_password,
    make_sandbox_key,
    sandbox_key_path,
    user_state_folder,
)


class PasswordOptions(Protocol):
    """The part of a session's options that the vault needs."""

    @property
    def writes_allowed(self) -> bool: ...
    @property
    def prompt(self) -> Callable[[], str] | None: ...
    @property
    def variables(self) -> Mapping[str, str]: ...


class NoVault:
    """Stands for a vault that nobody has made yet: empty, and locked for everything else."""

    def is_locked(self) -> bool:
        """Nobody holds a key."""
        return True

    def names(self) -> tuple[str, ...]:
        """Nothing is kept."""
        return ()

    def get(self, name: str) -> Secret:
        """Nothing can be had."""
        return Secret(handle=f"vault:{name}")

    def put(self, name: str, value: bytes | str | Secret) -> NoReturn:  # noqa: ARG002 - the vault's own shape
        """Nothing can be kept."""
        raise SecretLockedError(name)

    def remove(self, name: str) -> NoReturn:
        """Nothing can go."""
        raise SecretLockedError(name)

    def prove_writable(self) -> NoReturn:
        """Nothing can be kept."""
        raise SecretLockedError("write")

    def digest(self, value: bytes) -> NoReturn:  # noqa: ARG002 - the vault's own shape
        """There is no key for digests."""
        raise SecretLockedError("digest")


def follow_vault(name: str, path: Path, store: LockStore, *, accept: bool) -> None:
    """Where the vault is here and its lockfile is not: the new lockfile goes on under the vault's identity, if the user
    says so. Raises StateError (lockfile-missing) otherwise, and for a vault of another environment whatever they say.
    """
    if store.path.exists() or not path.exists():
        return
    environment = Vault.open(path, None).environment_id
    stranger = vault_of_neighbour(name, path, environment, store)
    if stranger is not None:
        raise stranger
    if not accept:
        raise StateError(
            Diagnostic(
                "lockfile-missing",
                "the lockfile is missing, and its vault is here",
                found=f"{store.path.name} does not exist; {path.name} is of environment {environment}",
                why="without it everything would be planned anew, as another environment's",
                fix=f"restore it from version control:\ngit checkout -- {store.path.name}\n"
                "or say that all is made anew, with the vault's secrets: ppmlctl plan --accept-lockfile",
            )
        )
    store.lockfile.environment = environment


def password_of(
    store: LockStore, path: Path, options: PasswordOptions, key_file: Path | None, *, sandboxed: bool
) -> Secret | None:
    """The vault's password where one can be had.

    A sandbox that may write makes itself a random key file, but never one for a vault that is there already.
    """
    environment = store.lockfile.environment
    sandbox_key = sandbox_key_path(environment, user_state_folder()) if sandboxed and key_file is None else None
    sources = PasswordSources(options.variables, key_file, sandbox_key, None if sandboxed else options.prompt)
    found = find_password(sources)
    if found is None and sandbox_key is not None and options.writes_allowed and not path.exists():
        return make_sandbox_key(sandbox_key)
    return found


def open_vault(path: Path, store: LockStore, password: Secret | None, *, writes_allowed: bool) -> Vault | NoVault:
    """Opens the vault, makes it where it may, and refuses where the lockfile knows of one that is missing."""
    if path.exists():
        vault = Vault.open(path, password, environment_id=store.lockfile.environment)
        if vault.is_locked() and writes_allowed:
            raise vault_needed()
        return vault
    kept = sorted(_vault_handles(store))
    if kept:
        raise StateError(
            Diagnostic(
                "vault-missing",
                "the vault that the lockfile knows is missing here",
                found=f"{path.name} should hold {', '.join(kept)}",
                why="these secrets are never made anew, since others hold what was made from them",
                fix=f"restore it from version control:\ngit checkout -- {path.name}",
            )
        )
    if not writes_allowed:
        return NoVault()
    if password is None:
        raise vault_needed()
    # The lockfile comes first: it holds the identity that the vault's entries are bound to.
    store.identify(name=store.lockfile.name, target=store.lockfile.target, engines={})
    return Vault.create(path, store.lockfile.environment, password)


def _vault_handles(store: LockStore) -> set[str]:
    results = (entry.get("result") or {} for entry in store.lockfile.tasks.values())
    handles = (value.get(HANDLE, "") for result in results for value in result.values() if isinstance(value, dict))
    return {handle.partition(":")[2] for handle in handles if str(handle).startswith("vault:")}


def vault_needed() -> StateError:
    """What a command says that needs secret values."""
    return StateError(
        Diagnostic(
            "vault-locked",
            "the vault is locked",
            found="no password was given",
            why="this command needs the environment's secret values",
            fix="set PPML_VAULT_PASSWORD, name a key file (vault.key_file), or run on a terminal",
        )
    )


def vault_locked() -> Diagnostic:
    """What a plan says that cannot compare secrets."""
    title = "secret unknown (vault locked)"
    why = "whether a secret has changed cannot be told"
    fix = "set PPML_VAULT_PASSWORD or name a key file (vault.key_file)"
    return Diagnostic("vault-locked", title, why=why, fix=fix, severity=Severity.WARNING)
