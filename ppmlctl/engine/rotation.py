"""Which tasks make their thing anew because somebody asked for it (`--rotate`), once each, whatever interrupts.

A rotation is noted in the lockfile before it begins: BEGUN until its task is recorded, MADE until an apply has ended
well with all that follows. Asked for again in between, it is gone on with, not made once more.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules.base import Module
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.state.lockfile import BEGUN, MADE

_VAULT = "vault:"


def rotating(
    names: Iterable[str],
    recorded: Mapping[str, Recorded],
    modules: Mapping[str, Module[Any, Any]],
    rotations: Mapping[str, str],
) -> frozenset[str]:
    """The addresses to rotate now. Each name is a task's address, or an entry of the vault that a task keeps.

    Raises InputError for a name that is neither, with all those that can be rotated.
    """
    known = _known(recorded, modules)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(*(_unknown(name, known) for name in unknown))
    asked = {known[name] for name in names if rotations.get(known[name]) != MADE}
    begun = {address for address, state in rotations.items() if state == BEGUN and address in recorded}
    return frozenset(asked | begun)


def _known(recorded: Mapping[str, Recorded], modules: Mapping[str, Module[Any, Any]]) -> dict[str, str]:
    """Addresses by every name that they can be rotated by."""
    made_by = {entry.module for entry in recorded.values() if entry.module in modules}
    kinds = {kind for kind in made_by if modules[kind].follows_rotation is not None}
    tasks = {address: entry for address, entry in recorded.items() if entry.module in kinds}
    entries = {name: address for address, entry in tasks.items() for name in _vault_entries(entry)}
    return dict(sorted((entries | {address: address for address in tasks}).items()))


def _vault_entries(entry: Recorded) -> Iterator[str]:
    for value in entry.result.values():
        if isinstance(value, Secret) and (value.handle or "").startswith(_VAULT):
            yield (value.handle or "").removeprefix(_VAULT)


def _unknown(name: str, known: Mapping[str, str]) -> Diagnostic:
    near = difflib.get_close_matches(name, known, 1)
    return Diagnostic(
        "rotation-unknown",
        "nothing of this name can be rotated",
        found=name,
        why="a task is rotated by its address, or by its entry in the vault, once it was applied",
        fix=f"did you mean `{near[0]}`?" if near else f"name one of: {', '.join(known) or 'nothing yet'}",
    )
