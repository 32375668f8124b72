"""What is said when a vault does not fit. No message holds a secret value."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from ppmlctl.diagnostics import Diagnostic, Location, StateError


class _Details(TypedDict, total=False):
    found: str
    why: str
    fix: str


def _fault(path: Path, code: str, title: str, **details: Unpack[_Details]) -> StateError:
    return StateError(Diagnostic(code, title, **details, at=Location(path.name, 1, 1)))


def exists(path: Path) -> StateError:
    """`create` where a vault is."""
    return _fault(
        path,
        "vault-exists",
        "a vault is already there",
        why="making it anew would lose every secret in it",
        fix="move it away first, if that is what you want",
    )


def missing(path: Path) -> StateError:
    """`open` where no vault is."""
    return _fault(
        path,
        "vault-missing",
        "the vault file is not there",
        why="the environment's secrets are in it",
        fix=f"restore it, for example: git checkout -- {path.name}",
    )


def unreadable(path: Path, reason: str) -> StateError:
    """The operating system refuses to read the file."""
    return _fault(path, "vault-unreadable", "the vault file cannot be opened", found=reason)


def password_wrong(path: Path) -> StateError:
    """The check value does not open."""
    return _fault(
        path,
        "vault-password-wrong",
        "the vault does not open with this password",
        why="the password is another one, or the header of the file was altered",
        fix="give the right password in PPML_VAULT_PASSWORD or the key file; if it is right, restore the file",
    )


def password_empty() -> StateError:
    """`create` or `rekey` without a password's worth."""
    return StateError(
        Diagnostic(
            "vault-password-empty",
            "the vault's password is empty",
            why="whoever has the file could read every secret in it",
            fix="choose a password, for example: openssl rand -hex 32",
        )
    )


def other_environment(path: Path, found: str, expected: str) -> StateError:
    """The vault belongs to another environment than the lockfile's."""
    return _fault(
        path,
        "vault-environment-other",
        "the vault belongs to another environment",
        found=f"environment {found}; the lockfile says {expected}",
        why="its secrets would be used where they do not belong",
        fix="put this environment's vault in its place, or point `vault.path` at it",
    )


def entry_missing(path: Path, name: str) -> StateError:
    """An entry that someone counts on is not there."""
    return _fault(
        path,
        "vault-entry-missing",
        "the vault has no such entry",
        found=f"no entry {name}",
        fix=f"restore the vault, or put the value there: ppmlctl vault set {name}",
    )


def entry_tampered(path: Path, name: str) -> StateError:
    """The password is right, one entry does not open."""
    return _fault(
        path,
        "vault-entry-tampered",
        "an entry of the vault was altered",
        found=f"entry {name} does not open with the vault's password",
        why="it was edited, cut short, or moved from another entry or environment",
        fix="restore the vault from a commit before the change",
    )


def header_tampered(path: Path) -> StateError:
    """The password is right, the digest key does not open."""
    return _fault(
        path,
        "vault-entry-tampered",
        "an entry of the vault was altered",
        found="digest_key does not open with the vault's password",
        why="without it no secret can be compared with the lockfile",
        fix="restore the vault from a commit before the change",
    )


def replaced(path: Path) -> StateError:
    """Another process made the vault anew or changed its password while this one had it open."""
    return _fault(
        path,
        "vault-replaced",
        "the vault was replaced while it was in use",
        why="writing now would mix entries of two passwords",
        fix="run the command again",
    )


def name_invalid(name: str) -> StateError:
    """A name that no entry can have."""
    return StateError(
        Diagnostic(
            "vault-name-invalid",
            "a vault entry cannot have this name",
            found=repr(name),
            fix="use 1 to 253 printable characters, no blank at either end",
        )
    )
