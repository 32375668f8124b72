"""Two environments in one folder: no key, keystore, signed enclave or vault of the one becomes the other's."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, PpmlError, StateError
from ppmlctl.files import open_regular
from ppmlctl.modules.base import Module
from ppmlctl.planning import Wanted
from ppmlctl.state import Lockfile, LockStore
from ppmlctl.state.lockfile import HEADER
from ppmlctl.state.lockfile_reader import read_lockfile


@dataclass(frozen=True)
class Neighbour:
    """Another environment whose lockfile lies in the same folder."""

    path: Path
    lockfile: Lockfile

    def __str__(self) -> str:
        return f"{self.lockfile.name or 'the environment'} ({self.path.name})"


def neighbours(store: LockStore) -> list[Neighbour]:
    """The other lockfiles of the folder. One that cannot be read is its own commands' business."""
    return list(_neighbours(store))


def check_own_files(
    name: str, store: LockStore, wanted: Iterable[tuple[Wanted, str]], modules: Mapping[str, Module[Any, Any]]
) -> None:
    """Raises StateError where a task would take or overwrite files that another environment's lockfile records.

    What this lockfile records itself stays its own: two that have shared files since before go on so.
    """
    theirs = {file: one for one in neighbours(store) for file in _recorded_files(one.lockfile, modules)}
    if not theirs:
        return
    ours = set(_recorded_files(store.lockfile, modules))
    taken = {file for one, kind in wanted for file in _files(modules[kind], one.inputs)} - ours
    shared = {file: theirs[file] for file in sorted(taken & theirs.keys())}
    if shared:
        other = next(iter(shared.values()))
        raise StateError(
            Diagnostic(
                "files-of-another-environment",
                "another environment has its files where this one would have them",
                found=f"{', '.join(shared)}: made for {other}, and wanted by {name} ({store.path.name})",
                why="each would overwrite, and hand out, what the other trusts",
                fix="put its file into another folder; for keys alone, a folder of their own is enough "
                f"(keys.folder: keys/{name}, enclave.signer.key)",
            )
        )


def vault_of_neighbour(name: str, path: Path, environment: str, store: LockStore) -> StateError | None:
    """The error for a vault that belongs to another environment of the folder; None where it belongs to none."""
    for one in neighbours(store):
        if one.lockfile.environment == environment:
            return StateError(
                Diagnostic(
                    "vault-of-another-environment",
                    "the vault is another environment's",
                    found=f"{path.name} belongs to {one}; this is {name} ({store.path.name})",
                    why="two environments would change each other's secrets",
                    fix=f"give this one a vault of its own, in its file:\nvault: {{path: {name}.vault}}",
                )
            )
    return None


def _neighbours(store: LockStore) -> Iterator[Neighbour]:
    for path in sorted(store.path.parent.glob("*.lock")):
        if path.name == store.path.name or not _is_ours(path):
            continue
        try:
            yield Neighbour(path, read_lockfile(path, path.name))
        except PpmlError:
            continue


def _is_ours(path: Path) -> bool:
    """Whether ppmlctl wrote it; many tools have files of this name."""
    try:
        with open_regular(path) as file:
            return file.read(len(HEADER)) == HEADER.encode()
    except OSError:
        return False


def _recorded_files(lockfile: Lockfile, modules: Mapping[str, Module[Any, Any]]) -> Iterator[str]:
    for entry in lockfile.tasks.values():
        if entry["module"] in modules:
            yield from _files(modules[entry["module"]], entry.get("inputs") or {})


def _files(module: Module[Any, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    return (os.path.normpath(file) for file in module.own_files(inputs) if isinstance(file, str))
