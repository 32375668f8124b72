"""`ppml.lock`: what was made, from what, with which public outcome. Values and their text; no I/O.

The text is sorted and holds no time, port or sandbox URL, so two applies of the same thing give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.evidence import Evidence
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.state.yaml_text import to_yaml

VERSION = 1
HANDLE = "$secret"
"""In a result, `{$secret: HANDLE}` says where a secret value is kept."""

BEGUN, MADE = "begun", "made"
"""Of a rotation: its task is not recorded yet; it is, but what follows from it is not all done."""

HEADER = "# Written by ppmlctl; commit it. It holds no secret. Changes by hand are overwritten.\n"

Resolve = Callable[[str], Secret]
"""A secret by its handle."""


@dataclass
class Lockfile:
    """The lockfile's content. `serial` counts the records ever made; `engines` names the engines it belongs to."""

    environment: str
    name: str = ""
    target: str = ""
    serial: int = 0
    engines: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    rotations: dict[str, str] = field(default_factory=dict)
    """Rotations that no apply has ended well with yet, BEGUN or MADE."""

    def recorded(self, resolve: Resolve) -> dict[str, Recorded]:
        """All entries, with secrets that are fetched when they are revealed."""
        return {address: _from_entry(entry, resolve) for address, entry in self.tasks.items()}


def entry_of(recorded: Recorded) -> dict[str, Any]:
    """One record as plain data. Raises ValueError for a secret without a handle: it could not be found again."""
    entry: dict[str, Any] = {"module": recorded.module, "inputs": _plain(recorded.inputs)}
    entry["result"] = _plain(recorded.result)
    if recorded.stored_otherwise:
        entry["stored_otherwise"] = dict(sorted(recorded.stored_otherwise.items()))
    if recorded.needs:
        entry["needs"] = sorted(recorded.needs)
    if recorded.evidence is not None:
        entry["evidence"] = recorded.evidence.value
    if recorded.protect:
        entry["protect"] = True
    return entry


def entry_text(address: str, entry: Mapping[str, Any]) -> str:
    """One entry's part of the text below `tasks:`."""
    return to_yaml({address: entry}, indent=2)


def header_text(lockfile: Lockfile) -> str:
    """Everything above the entries."""
    head: dict[str, Any] = {"version": VERSION, "environment": lockfile.environment, "name": lockfile.name}
    head |= {"target": lockfile.target, "serial": lockfile.serial}
    if lockfile.engines:
        head["engines"] = dict(sorted(lockfile.engines.items()))
    if lockfile.intents:
        head["intents"] = dict(sorted(lockfile.intents.items()))
    if lockfile.rotations:
        head["rotations"] = dict(sorted(lockfile.rotations.items()))
    return HEADER + to_yaml(head)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        if value.handle is None:
            raise ValueError("a secret without a handle cannot be recorded")
        return {HANDLE: value.handle}
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def _from_entry(entry: Mapping[str, Any], resolve: Resolve) -> Recorded:
    return Recorded(
        entry["module"],
        entry.get("inputs") or {},
        {name: _with_secrets(value, resolve) for name, value in (entry.get("result") or {}).items()},
        tuple(entry.get("needs") or ()),
        Evidence(entry["evidence"]) if "evidence" in entry else None,
        bool(entry.get("protect", False)),
        entry.get("stored_otherwise") or {},
    )


def _with_secrets(value: Any, resolve: Resolve) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {HANDLE}:
            return resolve(value[HANDLE])
        return {name: _with_secrets(member, resolve) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_secrets(member, resolve) for member in value]
    return value
