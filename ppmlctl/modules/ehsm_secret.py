"""A secret at EHSM: a value of the vault under a name, for whoever has the account.

Identity: account and name. Another account makes it replace, and so does another key to encrypt it, for which it is
deleted with all its values and made anew. A changed value is added as the newest version; one that was put there by
others is drift. A secret that waits for its deletion is restored. A removal gives `recovery_days` to take it back.
Errors: what the client says. Source: intel/ehsm, CreateSecret to RestoreSecret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ppmlctl.modules._ehsm import AccountArgs, ServerArgs, refuse_unseen, seen
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Change, Observed, Recorded, Wanted, decide
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.ehsm import Account
    from ppmlctl.ehsm.key_messages import SecretDescription


_RECOVERY_DAYS = 30


class EhsmSecretArgs(AccountArgs):
    """`value`: text. `encryption_key`: a key's id; without one EHSM takes the account's own."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    value: Secret
    description: Annotated[str, Field(max_length=4096)] = ""
    encryption_key: str | None = None
    recovery_days: Annotated[int, Field(ge=1, le=365)] = _RECOVERY_DAYS


class EhsmSecretResult(ModuleResult):
    """`version`: the newest. `apikey`: of the account, with which the secret can be removed."""

    name: str
    version: int
    description: str
    leaving: bool
    apikey: Secret


class EhsmSecret(Module[EhsmSecretArgs, EhsmSecretResult]):
    """See the module's text."""

    kind = "ehsm_secret"
    Args = EhsmSecretArgs
    Result = EhsmSecretResult
    shown = ("name", "version")
    engine = "ehsm"
    replace_on = frozenset({"appid", "name", "encryption_key"})
    echoes = frozenset({"apikey", "name"})
    removal_asks = True

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """Descriptions by one list of each account, and the newest version of each; no value is fetched."""
        listed = _Lists(ctx)
        return {one.address: seen(partial(_look, ctx, listed, one)) for one in wanted if _is_located(one.args)}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises what kept EHSM from showing the secret."""
        refuse_unseen(observed)
        change = decide(wanted, observed, recorded, replace_on=self.replace_on)
        if recorded is None or change.action is not ActionKind.REPLACE:
            return change
        is_elsewhere = recorded.inputs.get("appid") != wanted.args.appid
        follows = "the old one stays with its account" if is_elsewhere else "its older values go"
        return replace(change, reasons=(*change.reasons, follows))

    def apply(self, ctx: Context, args: EhsmSecretArgs, observed: Observed) -> EhsmSecretResult:
        refuse_unseen(observed)
        client, account = args.server.client(ctx), args.account()
        described = client.secrets.describe(account, args.name)
        if described and described.is_leaving:
            client.secrets.restore(account, args.name)
        if described and _has_another_key(ctx, args):
            client.secrets.delete(account, args.name, recovery_days=None)
            described = None
        if described is None:
            client.secrets.create(
                account, args.name, args.value, description=args.description, encryption_key=args.encryption_key
            )
        else:
            _bring_up_to_date(client, account, args, described)
        version = client.secrets.versions(account, args.name)[-1].version
        return EhsmSecretResult(
            name=args.name,
            version=version,
            description=args.description,
            leaving=False,
            apikey=args.apikey,
            evidence=ctx.simulated,
        )

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Lets it go when the days to take it back are over. One that is gone or leaving already is no error."""
        from ppmlctl.ehsm import Account  # noqa: PLC0415 - loads pydantic models that not every plan needs

        client = ServerArgs.model_validate(recorded.inputs["server"]).client(ctx)
        account = Account(appid=recorded.inputs["appid"], apikey=recorded.result["apikey"])
        name = recorded.result["name"]
        described = client.secrets.describe(account, name)
        if described is not None and not described.is_leaving:
            client.secrets.delete(account, name, recovery_days=recorded.inputs.get("recovery_days", _RECOVERY_DAYS))


class _Lists:
    """One list of secrets for each account."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._found: dict[str, Mapping[str, SecretDescription]] = {}

    def of(self, args: EhsmSecretArgs) -> Mapping[str, SecretDescription]:
        if args.appid not in self._found:
            secrets = args.server.client(self._ctx).secrets.list(args.account())
            self._found[args.appid] = {secret.name: secret for secret in secrets}
        return self._found[args.appid]


def _is_located(args: EhsmSecretArgs) -> bool:
    return args.can_ask() and not isinstance(args.name, Unknown)


def _look(ctx: Context, listed: _Lists, one: Wanted) -> Observed:
    """A secret of another account than the one at hand cannot be asked for; it counts as being there."""
    args, recorded = one.args, ctx.recorded.get(one.address)
    if recorded is not None and recorded.inputs.get("appid") != args.appid:
        return Observed()
    described = listed.of(args).get(args.name)
    if described is None:
        return ABSENT
    fields = {"description": described.description, "leaving": described.is_leaving}
    if not described.is_leaving:
        versions = args.server.client(ctx).secrets.versions(args.account(), args.name)
        fields["version"] = versions[-1].version if versions else 0
    return Observed(fields=fields)


def _has_another_key(ctx: Context, args: EhsmSecretArgs) -> bool:
    """Whether the recorded secret is encrypted with another key than is wanted; EHSM does not tell."""
    recorded = ctx.recorded.get(ctx.address)
    if recorded is None or recorded.inputs.get("appid") != args.appid or recorded.result["name"] != args.name:
        return False
    return recorded.inputs.get("encryption_key") != args.encryption_key


def _bring_up_to_date(client: EhsmClient, account: Account, args: EhsmSecretArgs, described: SecretDescription) -> None:
    current = client.secrets.get(account, args.name)
    if current is None or current.data.reveal_text() != args.value.reveal_text():
        client.secrets.put(account, args.name, args.value)
    if described.description != args.description:
        client.secrets.describe_anew(account, args.name, args.description)
