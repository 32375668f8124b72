"""Records follow their things: a task that got another name keeps what it made. Pure.

Where a task without a record of its own wants the very thing that a record is about, and that record's own task is gone
or wants another thing now, the record moves to the task. Otherwise the thing would be removed first and made anew: a
namespace with all that is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from ppmlctl.planning.model import Recorded, Wanted
from ppmlctl.planning.task import Declaration

Moves = Mapping[str, str]
"""For each new address of a record the one that it has in the lockfile."""

Entry = TypeVar("Entry")


def moves(
    wanted: Iterable[tuple[Wanted, str]], declarations: Mapping[str, Declaration], recorded: Mapping[str, Recorded]
) -> Moves:
    """The records that move. `wanted` names the module beside each; a module without identities moves none."""
    things = {one.address: (module, declarations[module].identity(one.args)) for one, module in wanted}
    made = {
        address: (entry.module, declarations[entry.module].recorded_identity(entry))
        for address, entry in recorded.items()
        if entry.module in declarations
    }
    held = {address for address, thing in made.items() if things.get(address) in (thing, (thing[0], None))}
    free = {thing: address for address, thing in made.items() if address not in held and thing[1] is not None}
    return {
        address: free.pop(thing)
        for address, thing in things.items()
        if address not in held and free.get(thing) not in (None, address)
    }


def relocated(entries: Mapping[str, Entry], found: Moves) -> dict[str, Entry]:
    """The entries under their new addresses. One that is pushed out takes an address that became vacant."""
    pushed_out = [entries[new] for new in found if new in entries and new not in found.values()]
    vacant = [old for old in found.values() if old not in found]
    stay = {address: entry for address, entry in entries.items() if address not in {*found, *found.values()}}
    return {**stay, **dict(zip(vacant, pushed_out, strict=False)), **{new: entries[old] for new, old in found.items()}}


def followed(recorded: Mapping[str, Recorded], found: Moves) -> dict[str, Recorded]:
    """The records under their new addresses, each with the one that it had."""
    placed = relocated(recorded, found)
    return {address: replace(e, moved_from=found[address]) if address in found else e for address, e in placed.items()}
