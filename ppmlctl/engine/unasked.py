"""Removals that nobody may be asked for: the lockfile alone names the server, or the key to ask it by. Pure.

A changed record would otherwise send requests, signed by a secret of its choice, to a server of its choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ppmlctl.modules.base import Module
from ppmlctl.planning import Recorded, Wanted
from ppmlctl.secret import Secret

Modules = Mapping[str, Module[Any, Any]]


def asks_of(recorded: Mapping[str, Recorded], modules: Modules) -> dict[str, Recorded]:
    """The records whose things a server that they name would be asked to remove."""
    return {
        address: entry
        for address, entry in recorded.items()
        if entry.module in modules and modules[entry.module].removal_asks
    }


def unasked(recorded: Mapping[str, Recorded], today: Iterable[tuple[Wanted, str]], modules: Modules) -> dict[str, str]:
    """Why the things of these records stay where they are, by address. `today`: what the tasks want, with modules."""
    servers = {modules[kind].asks(wanted.inputs) for wanted, kind in today} - {None}
    owned = {place for address, entry in recorded.items() for place in _owned(address, entry, modules)}
    found: dict[str, str] = {}
    for address, entry in asks_of(recorded, modules).items():
        module = modules[entry.module]
        if module.asks(entry.inputs) not in servers:
            found[address] = "no task names its server"
        elif lost := next(_without_owner(module, entry, owned), ""):
            found[address] = f"no task keeps its {lost}"
    return found


def _owned(address: str, entry: Recorded, modules: Modules) -> Iterator[str]:
    """Where the record's own module keeps its secrets."""
    if entry.module not in modules:
        return
    for field, place in modules[entry.module].places(address, entry.inputs).items():
        if isinstance(entry.result.get(field), Secret):
            yield place


def _without_owner(module: Module[Any, Any], entry: Recorded, owned: set[str]) -> Iterator[str]:
    for field in sorted(module.echoes):
        value = entry.result.get(field)
        if isinstance(value, Secret) and value.handle not in owned:
            yield field
