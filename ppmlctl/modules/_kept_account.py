"""An account of a service as one entry of the vault, so that a crash never parts a key from its account and server."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.modules._retired import retire
from ppmlctl.modules.context import Context
from ppmlctl.secret import Secret, SecretLockedError


@dataclass(frozen=True)
class KeptAccount:
    """Who asks, and at which server."""

    server: str
    appid: str
    apikey: Secret

    def keep(self, ctx: Context) -> None:
        """Puts all of it into the vault, as one secret."""
        members = {"server": self.server, "appid": self.appid, "apikey": self.apikey.reveal_text()}
        ctx.vault.put(entry_of(ctx.address), Secret(json.dumps(members)))


def entry_of(address: str) -> str:
    """The entry's name in the vault."""
    return f"{address}.account"


def kept_account(ctx: Context, address: str) -> KeptAccount | None:
    """The account in the vault; None where there is none or the vault is locked."""
    if entry_of(address) not in ctx.vault.names():
        return None
    try:
        members = json.loads(ctx.vault.get(entry_of(address)).reveal_text())
    except SecretLockedError:
        return None
    return KeptAccount(members["server"], members["appid"], Secret(members["apikey"]))


def account_to_keep(ctx: Context, appid: str) -> KeptAccount | None:
    """The account in the vault; one that a rotation replaces is retired instead.

    `appid` is the result's field for it: a rotation that finds another account than the recorded one in place has made
    that before it was interrupted.
    """
    kept, recorded = kept_account(ctx, ctx.address), ctx.recorded.get(ctx.address)
    if kept is None or not ctx.rotating or recorded is None or kept.appid != recorded.result[appid]:
        return kept
    retire(ctx, entry_of(ctx.address))
    return None


def account_missing(address: str, service: str) -> StateError:
    """The error for a recorded account that the vault lacks."""
    return StateError(
        Diagnostic(
            "vault-entry-missing",
            "the vault lacks what the lockfile records",
            found=f"{address}: the account at {service}",
            why="its policies and secrets belong to that account; another one would be made in silence",
            fix="bring back the ppml.vault that belongs to this lockfile",
        )
    )
