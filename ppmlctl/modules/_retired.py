"""What rotations put others in place of: kept, since something may still need it; and what they cannot replace."""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic
from ppmlctl.modules.context import Context


def retire(ctx: Context, name: str) -> None:
    """Copies a vault entry to the first free name `NAME.retired-N`, and says so; once for the same value."""
    names, value = set(ctx.vault.names()), ctx.vault.get(name)
    possible = [f"{name}.retired-{number}" for number in range(1, len(names) + 2)]
    free = next(entry for entry in possible if entry not in names)
    if not any(ctx.vault.get(entry) == value for entry in possible if entry in names):
        ctx.vault.put(free, value)
        ctx.warn(f"the old value is kept in the vault as {free}, until you remove it")


def rotation_given(address: str, source: str) -> Diagnostic:
    """The fault of asking for another value here, where the user gives it."""
    return Diagnostic(
        "rotation-given",
        "what you give yourself cannot be rotated here",
        found=f"{address} is given by the {source}",
        why="what was made here would be put back by the next apply",
        fix=f"give another one by the {source}, then apply",
    )
