"""Vault entries that a rotation put others in place of: kept, since something may still need them."""

from __future__ import annotations

from ppmlctl.modules.context import Context


def retire(ctx: Context, name: str) -> None:
    """Moves an entry to the first free name `NAME.retired-N`, and says so. A missing one is no error.

    Cut off in between, it leaves the entry under both names, and another call moves it once more: nothing is lost.
    """
    names = set(ctx.vault.names())
    if name not in names:
        return
    number = next(number for number in range(1, len(names) + 2) if f"{name}.retired-{number}" not in names)
    ctx.vault.put(f"{name}.retired-{number}", ctx.vault.get(name))
    ctx.vault.remove(name)
    ctx.warn(f"the old value is kept in the vault as {name}.retired-{number}, until you remove it")
