"""An account of an EHSM server, kept in the vault: quarantined, since nobody has looked at the server's quote yet.

Identity: the account kept under the task's address. Another URL makes it replace, since accounts belong to one
server; the old account stays there, for EHSM can neither list nor delete any. Enroll cannot be observed afterwards, so
the vault shows first that it can be written, an intent is journalled, and the answer goes to the vault at once.
The sandbox's accounts go with its folder, which may be lost: there an account that EHSM does not have is made anew. A
real server that lost one is an error, since its keys and secrets belong to that account.
Errors: `vault-entry-missing`, and what the client says. Source: intel/ehsm, Enroll.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ppmlctl.modules._ehsm import ServerArgs, is_known
from ppmlctl.modules._journalled import journalled
from ppmlctl.modules._kept_account import KeptAccount, account_missing, account_to_keep, entry_of, kept_account
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import SANDBOX, Context
from ppmlctl.planning import ActionKind, Change, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret

_LOST = "(unknown to this EHSM)"


class EhsmEnrollArgs(ModuleArgs):
    """The server to enrol at."""

    server: ServerArgs


class EhsmEnrollResult(ModuleResult):
    """The account."""

    appid: str
    apikey: Secret


class EhsmEnroll(Module[EhsmEnrollArgs, EhsmEnrollResult]):
    """See the module's text."""

    kind = "ehsm_enroll"
    Args = EhsmEnrollArgs
    Result = EhsmEnrollResult
    shown = ("appid",)
    engine = "ehsm"
    removal = Removal.IMPOSSIBLE
    follows_rotation = "policies, keys, data keys and secrets belong to an account: all are made anew for the new one"

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The accounts in the vault. Only the sandbox is asked, and only for a quote, whether it has them still."""
        names = set(ctx.vault.names())
        found = {}
        for one in wanted:
            if {one.address, entry_of(one.address)} <= names:
                account = kept_account(ctx, one.address)
                appid = {} if account is None else {"appid": account.appid}
                if account and _is_lost(ctx, one.args, account):
                    appid = {"appid": _LOST}
                found[one.address] = Observed(fields=appid)
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises StateError where the recorded account is not in the vault: a second one is never made in silence."""
        if recorded is not None and not observed.exists:
            raise account_missing(wanted.address, "EHSM")
        change = decide(wanted, observed, recorded)
        if recorded is None or _url(recorded.inputs) == _url(wanted.inputs):
            return change
        left = f"accounts belong to one server; {recorded.result['appid']} is left behind at {_url(recorded.inputs)}"
        return replace(change, action=ActionKind.REPLACE, reasons=(left,))

    def apply(self, ctx: Context, args: EhsmEnrollArgs, observed: Observed) -> EhsmEnrollResult:  # noqa: ARG002 - the vault is read again
        """Takes the account of this server that the vault holds, or enrols."""
        account = account_to_keep(ctx, "appid")
        if account is None or account.server != args.server.url or _is_lost(ctx, args, account):
            account = self._enroll(ctx, args)
        ctx.vault.put(ctx.address, account.apikey)
        return EhsmEnrollResult(appid=account.appid, apikey=ctx.vault.get(ctx.address), evidence=ctx.simulated)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"apikey": f"vault:{address}"}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the account: EHSM has no way to delete it, and another apply takes it from the vault again."""

    def kept_as(self, recorded: Recorded) -> str:
        """The account at its server."""
        return f"EHSM account {recorded.result['appid']}"

    def _enroll(self, ctx: Context, args: EhsmEnrollArgs) -> KeptAccount:
        from ppmlctl.clients.ehsm import NOTHING_DONE  # noqa: PLC0415 - not every plan needs the client

        client = args.server.client(ctx)
        if ctx.intents.pending(ctx.address):
            ctx.warn(f"an interrupted apply may have left an account that nobody uses at EHSM {args.server.url}")
        ctx.vault.prove_writable()
        with journalled(ctx, {"operation": "Enroll", "server": args.server.url}, NOTHING_DONE):
            enrolled = client.enroll()
        account = KeptAccount(args.server.url, enrolled.appid, enrolled.apikey)
        account.keep(ctx)
        return account


def _is_lost(ctx: Context, args: EhsmEnrollArgs, account: KeptAccount) -> bool:
    """Whether the account was one of a sandbox that is no more."""
    if ctx.target != SANDBOX or not is_known(args.server) or account.server != args.server.url:
        return False
    from ppmlctl.clients.ehsm import EhsmRefusedError  # noqa: PLC0415 - not every plan needs the client
    from ppmlctl.ehsm import Account  # noqa: PLC0415 - the same

    asking = Account(appid=account.appid, apikey=account.apikey)
    try:
        args.server.client(ctx).generate_quote(asking, secrets.token_bytes(32))
    except EhsmRefusedError as error:
        if error.is_unknown_account:
            return True
        raise
    return False


def _url(inputs: Mapping[str, Mapping[str, object]]) -> object:
    return inputs.get("server", {}).get("url")
