"""An account of the attestation service: a given one, or one that was enrolled once and is kept in the vault.

Identity: the account. Another server or another given account makes it replace; what is left stays at the service,
which can neither list nor delete any. An enrolment cannot be observed afterwards, so an intent is journalled first and
the answer goes to the vault before anything else. The sandbox's accounts go with its folder: there one that is lost is
made anew; at a real service it is an error, since who has policies there would have none.
Errors: `attestation-account-unknown`, `vault-entry-missing`, and what the client says. Source: intel-analytics/BigDL,
`BigDLRemoteAttestationService.scala`, `enroll`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError, InputError
from ppmlctl.modules._attestation import AttestationServerArgs, service_of
from ppmlctl.modules._ehsm import is_known
from ppmlctl.modules._journalled import journalled
from ppmlctl.modules._kept_account import KeptAccount, account_missing, account_to_keep, entry_of, kept_account
from ppmlctl.modules._retired import rotation_given
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import SANDBOX, Context
from ppmlctl.planning import ActionKind, Change, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret

if TYPE_CHECKING:
    from ppmlctl.attestation import Account

_LOST = "(unknown to this service)"


class AttestationAccountArgs(ModuleArgs):
    """`app_id` and `api_key`: the given account; without them one is enrolled."""

    server: AttestationServerArgs
    app_id: str | None = None
    api_key: Secret | None = None


class AttestationAccountResult(ModuleResult):
    """The account."""

    app_id: str
    api_key: Secret


class AttestationAccount(Module[AttestationAccountArgs, AttestationAccountResult]):
    """See the module's text."""

    kind = "attestation_account"
    Args = AttestationAccountArgs
    Result = AttestationAccountResult
    shown = ("app_id",)
    engine = "attestation"
    removal = Removal.IMPOSSIBLE
    follows_rotation = "policies belong to an account: one is registered anew, and workloads run again"

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """Given accounts, and those in the vault. Only the sandbox is asked whether it has them still."""
        names = set(ctx.vault.names())
        found = {}
        for one in wanted:
            if not is_known(one.args.app_id):
                continue
            if one.args.app_id is not None and one.address in names:
                found[one.address] = Observed(fields={"app_id": one.args.app_id})
            elif one.args.app_id is None and {one.address, entry_of(one.address)} <= names:
                account = kept_account(ctx, one.address)
                fields = {} if account is None else {"app_id": account.appid}
                if account and _is_lost(ctx, one.args, account):
                    fields = {"app_id": _LOST}
                found[one.address] = Observed(fields=fields)
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises StateError where the recorded account is not in the vault: a second one is never made in silence."""
        if recorded is not None and not observed.exists and wanted.args.app_id is None:
            raise account_missing(wanted.address, "the attestation service")
        change = decide(wanted, observed, recorded)
        if recorded is None or _whose(recorded.inputs) == _whose(wanted.inputs):
            return change
        left = f"account {recorded.result['app_id']} is left behind at {service_of(recorded.inputs)}"
        return replace(change, action=ActionKind.REPLACE, reasons=(left,))

    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change:
        """Raises InputError for an account that the user gives: another one is put in place where it comes from."""
        if wanted.args.app_id is not None:
            raise InputError(rotation_given(wanted.address, "attestation.service.account of ppml.yaml"))
        return super().rotation(wanted, recorded)

    def apply(self, ctx: Context, args: AttestationAccountArgs, observed: Observed) -> AttestationAccountResult:  # noqa: ARG002 - the vault is read again
        """Checks the given account; or takes the one of this server that the vault holds, or enrols."""
        if args.app_id is not None and args.api_key is not None:
            account = KeptAccount(args.server.url, args.app_id, args.api_key)
            if not args.server.client(ctx).has_account(_asking(account)):
                raise _unknown(account)
            return _in_vault(ctx, account)
        kept = account_to_keep(ctx, "app_id")
        if kept is None or kept.server != args.server.url or _is_lost(ctx, args, kept):
            kept = _enroll(ctx, args)
        return _in_vault(ctx, kept)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"api_key": f"vault:{address}"}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the account: the service has no way to delete it."""

    def kept_as(self, recorded: Recorded) -> str:
        """The account at its service."""
        return f"attestation service account {recorded.result['app_id']}"


def _in_vault(ctx: Context, account: KeptAccount) -> AttestationAccountResult:
    ctx.vault.put(ctx.address, account.apikey)
    return AttestationAccountResult(app_id=account.appid, api_key=ctx.vault.get(ctx.address), evidence=ctx.simulated)


def _enroll(ctx: Context, args: AttestationAccountArgs) -> KeptAccount:
    from ppmlctl.clients.attestation import NOTHING_DONE  # noqa: PLC0415 - not every plan needs the client

    client = args.server.client(ctx)
    if ctx.intents.pending(ctx.address):
        ctx.warn(f"an interrupted apply may have left an account that nobody uses at {args.server.url}")
    ctx.vault.prove_writable()
    with journalled(ctx, {"operation": "enroll", "server": args.server.url}, NOTHING_DONE):
        enrolled = client.enroll()
    account = KeptAccount(args.server.url, enrolled.app_id, enrolled.api_key)
    account.keep(ctx)
    return account


def _is_lost(ctx: Context, args: AttestationAccountArgs, account: KeptAccount) -> bool:
    """Whether the account was one of a sandbox that is no more."""
    if ctx.target != SANDBOX or not is_known(args.server) or account.server != args.server.url:
        return False
    return not args.server.client(ctx).has_account(_asking(account))


def _asking(account: KeptAccount) -> Account:
    from ppmlctl.attestation import Account  # noqa: PLC0415 - not every plan needs it

    return Account(account.appid, account.apikey)


def _whose(inputs: Mapping[str, Any]) -> tuple[object, object]:
    return service_of(inputs), inputs.get("app_id")


def _unknown(account: KeptAccount) -> EngineError:
    title, why = "the attestation service does not know the account", "pods that attest with it would be refused"
    fix = "correct attestation.service.account, or remove it to have one enrolled"
    found = f"{account.appid} at {account.server}"
    return EngineError(Diagnostic("attestation-account-unknown", title, found, why, fix))
