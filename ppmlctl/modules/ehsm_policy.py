"""A quote policy at EHSM: the one measurement that passes under its id, shown to be in force.

Identity: the policy's id. Another measurement or account makes it replace; the old policy stays at EHSM, which cannot
remove any. The upload cannot be observed afterwards, so an intent is journalled first, and the answer right after it.
Then a control: the server's own quote must pass without a policy, be refused with ours, and pass once more.
Errors: `policy-not-established`, and what the client says. Source: intel/ehsm, UploadQuotePolicy and VerifyQuote.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.modules._ehsm import AccountArgs, refuse_unseen, seen
from ppmlctl.modules._journalled import journalled
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Change, Observed, Recorded, Removal, Wanted, decide

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.ehsm import QuotePolicy

_ENCLAVE_REFUSED = (500, "Server exception.")
"""What EHSM's enclave answers to a measurement that is not the policy's; other faults have other words."""


Measurement = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class EhsmPolicyArgs(AccountArgs):
    """The account that the policy belongs to, and the measurement in hexadecimal."""

    mr_enclave: Measurement
    mr_signer: Measurement


class EhsmPolicyResult(ModuleResult):
    """The policy."""

    policy_id: str
    mr_enclave: str
    mr_signer: str


class EhsmPolicy(Module[EhsmPolicyArgs, EhsmPolicyResult]):
    """See the module's text."""

    kind = "ehsm_policy"
    Args = EhsmPolicyArgs
    Result = EhsmPolicyResult
    shown = ("policy_id",)
    engine = "ehsm"
    removal = Removal.IMPOSSIBLE
    replace_on = frozenset({"appid", "mr_enclave", "mr_signer"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The recorded policies, read back from EHSM."""
        known = [(one, ctx.recorded[one.address]) for one in wanted if one.address in ctx.recorded]
        return {one.address: seen(partial(_look, ctx, one.args, recorded)) for one, recorded in known}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """The default, and a word about the policy that a replacement leaves behind.

        Raises what kept EHSM from showing the policy.
        """
        refuse_unseen(observed)
        change = decide(wanted, observed, recorded, replace_on=self.replace_on)
        if recorded is None or change.action is not ActionKind.REPLACE:
            return change
        left = f"policy {recorded.result['policy_id']} is left behind, EHSM cannot remove it"
        return replace(change, reasons=(*change.reasons, left))

    def apply(self, ctx: Context, args: EhsmPolicyArgs, observed: Observed) -> EhsmPolicyResult:
        """Takes the policy that is there, if it says the same, or uploads one; shows that it is in force."""
        refuse_unseen(observed)
        policy = _uploaded(ctx, args, observed)
        policy_id = policy.policy_id if policy else _upload(ctx, args)
        _check_in_force(args.server.client(ctx), args, policy_id)
        return EhsmPolicyResult(policy_id=policy_id, evidence=ctx.simulated, **_wanted_measurement(args))

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the policy: EHSM has no way to delete it."""

    def kept_as(self, recorded: Recorded) -> str:
        """The policy."""
        return f"EHSM policy {recorded.result['policy_id']}"


def _look(ctx: Context, args: EhsmPolicyArgs, recorded: Recorded) -> Observed:
    if not args.can_ask():
        return Observed()
    policy = _policy(ctx, args, recorded.result["policy_id"])
    return Observed(fields=_measured(policy), detail=policy) if policy else ABSENT


def _policy(ctx: Context, args: EhsmPolicyArgs, policy_id: str) -> QuotePolicy | None:
    return args.server.client(ctx).get_quote_policy(args.account(), policy_id)


def _measured(policy: QuotePolicy) -> dict[str, str]:
    return {"mr_enclave": policy.mr_enclave, "mr_signer": policy.mr_signer}


def _wanted_measurement(args: EhsmPolicyArgs) -> dict[str, str]:
    return {"mr_enclave": args.mr_enclave.lower(), "mr_signer": args.mr_signer.lower()}


def _uploaded(ctx: Context, args: EhsmPolicyArgs, observed: Observed) -> QuotePolicy | None:
    """The policy that was observed, or that an interrupted apply got an answer for, if it says what is wanted."""
    pending = ctx.intents.pending(ctx.address) or {}
    policy = observed.detail
    if pending.get("policy_id") and pending.get("appid") == args.appid:
        policy = _policy(ctx, args, str(pending["policy_id"])) or policy
    return policy if policy and _measured(policy) == _wanted_measurement(args) else None


def _upload(ctx: Context, args: EhsmPolicyArgs) -> str:
    from ppmlctl.clients.ehsm import NOTHING_DONE  # noqa: PLC0415 - not every plan needs the client

    client = args.server.client(ctx)
    pending = ctx.intents.pending(ctx.address)
    if pending and "policy_id" not in pending:
        ctx.warn(f"an interrupted apply may have left a policy that nobody uses at EHSM {args.server.url}")
    intent = {"operation": "UploadQuotePolicy", "appid": args.appid, **_wanted_measurement(args)}
    with journalled(ctx, intent, NOTHING_DONE):
        policy_id = client.upload_quote_policy(args.account(), args.mr_enclave, args.mr_signer)
    ctx.intents.begin(ctx.address, intent | {"policy_id": policy_id})
    return policy_id


def _check_in_force(client: EhsmClient, args: EhsmPolicyArgs, policy_id: str) -> None:
    """The second pass shows that the refusal came of the policy, and not of a server that refuses everything."""
    quote = client.generate_quote(args.account(), secrets.token_bytes(32))
    steps = (
        (_passes(client, args, quote, None), "its own quote does not pass without a policy"),
        (not _passes(client, args, quote, policy_id), "its own quote passes under a policy for another enclave"),
        (_passes(client, args, quote, None), "its own quote does not pass once more without a policy"),
    )
    for holds, otherwise in steps:
        if not holds:
            raise _not_established(f"policy {policy_id}: EHSM answers that {otherwise}")


def _passes(client: EhsmClient, args: EhsmPolicyArgs, quote: bytes, policy_id: str | None) -> bool:
    """Whether EHSM, over our nonce, takes the quote for genuine; the state of the platform is judged elsewhere."""
    from ppmlctl.clients.ehsm import EhsmRefusedError  # noqa: PLC0415 - not every plan needs the client

    try:
        return client.verify_quote(args.account(), quote, policy_id=policy_id).is_genuine
    except EhsmRefusedError as error:
        if (error.code, error.words) == _ENCLAVE_REFUSED:
            return False
        if error.is_unknown_account or isinstance(error, TransientError):
            raise  # it says nothing about the policy, and has a remedy of its own
        under = f"policy {policy_id}" if policy_id else "no policy"
        raise _not_established(f"under {under}: {error.diagnostics[0].found}") from error


def _not_established(found: str) -> EngineError:
    why = "a policy that is not in force would let every enclave have the secrets"
    title = "the quote policy is not established"
    return EngineError(Diagnostic("policy-not-established", title, found, why, "look at EHSM's log and its PCCS"))
