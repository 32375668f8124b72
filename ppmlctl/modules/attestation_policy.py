"""A policy of the attestation service: the enclave, signer or domain that passes under its id.

Identity: the policy's id. Another measurement, account or service makes it replace; the old policy stays, since the
service can neither list, read nor delete any. So an intent is journalled before it is registered, and the answer right
after it.
With a control quote, which shows what may pass, each apply sees whether the policy is in force: the service has to pass
the quote without a policy and with this one, and to refuse it under a policy that nothing meets. Without one that is
not known, and the evidence is `not verified`: a restarted service has lost its policies.
Errors: `policy-not-established`, `control-quote-unfit`, and what the client says. Source: intel-analytics/BigDL,
`BigDLRemoteAttestationService.scala`, `registerPolicy` and `verifyQuote`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ppmlctl.diagnostics import Diagnostic, EngineError, InputError, TransientError
from ppmlctl.evidence import Evidence
from ppmlctl.files import read_bytes
from ppmlctl.modules._attestation import AttestationAccountArgs, service_of
from ppmlctl.modules._ehsm import refuse_unseen, seen
from ppmlctl.modules._journalled import journalled
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Change, Observed, Recorded, Removal, Wanted, decide

if TYPE_CHECKING:
    from ppmlctl.attestation import Policy
    from ppmlctl.clients.attestation import AttestationClient

Enclave = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]
Domain = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{96}$")]


class AttestationPolicyArgs(AttestationAccountArgs):
    """The account, and one of `mr_td` (with or without all `rtmrs`), `mr_signer` (with `prod_id`) and `mr_enclave`.

    `control`: a file with a quote of what may pass.
    """

    mr_enclave: Enclave | None = None
    mr_signer: Enclave | None = None
    prod_id: int = 0
    mr_td: Domain | None = None
    rtmrs: tuple[Domain, ...] = ()
    control: str | None = None

    def policy(self) -> Policy:
        """What to register. Raises ValueError."""
        from ppmlctl.attestation import Policy  # noqa: PLC0415 - not every plan needs it

        if self.mr_td is not None:
            return Policy.of_domain(self.mr_td, self.rtmrs)
        if self.mr_signer is not None:
            return Policy.of_signer(self.mr_signer, self.prod_id)
        return Policy.of_enclave(self.mr_enclave or "")


class AttestationPolicyResult(ModuleResult):
    """The policy."""

    policy_id: str
    policy_type: str


class AttestationPolicy(Module[AttestationPolicyArgs, AttestationPolicyResult]):
    """See the module's text."""

    kind = "attestation_policy"
    Args = AttestationPolicyArgs
    Result = AttestationPolicyResult
    shown = ("policy_id", "policy_type")
    engine = "attestation"
    removal = Removal.IMPOSSIBLE
    replace_on = frozenset({"app_id", "mr_enclave", "mr_signer", "prod_id", "mr_td", "rtmrs"})
    follows_rotation = "it is registered anew, and workloads run again"

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The recorded policies, by their control quotes; without one nothing says that a policy is gone."""
        known = [(one, ctx.recorded[one.address]) for one in wanted if one.address in ctx.recorded]
        return {one.address: seen(partial(self._look, ctx, one, recorded)) for one, recorded in known}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """The default, and a word about the policy that a replacement leaves behind."""
        refuse_unseen(observed)
        change = decide(wanted, observed, recorded, replace_on=self.replace_on)
        if recorded is None or not observed.exists:
            return change
        if service_of(recorded.inputs) != service_of(wanted.inputs):
            change = replace(change, action=ActionKind.REPLACE)
        if change.action is not ActionKind.REPLACE:
            return change
        left = f"policy {recorded.result['policy_id']} is left behind, the service cannot remove it"
        return replace(change, reasons=(*change.reasons, left))

    def apply(self, ctx: Context, args: AttestationPolicyArgs, observed: Observed) -> AttestationPolicyResult:
        """Takes the policy that is there, if it is the same, or registers one; shows that it is in force, if it can."""
        refuse_unseen(observed)
        policy = args.policy()
        quote = _control(ctx, args, policy)
        policy_id = _registered(ctx, args, policy) or (None if ctx.rotating else observed.detail)
        policy_id = policy_id or _register(ctx, args, policy)
        if quote is not None:
            _check_in_force(args.server.client(ctx), args, policy_id, quote)
        evidence = Evidence.REPORTED if quote is not None else Evidence.NOT_VERIFIED
        return AttestationPolicyResult(
            policy_id=policy_id, policy_type=policy.type.value, evidence=ctx.simulated or evidence
        )

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the policy: the service has no way to delete it."""

    def kept_as(self, recorded: Recorded) -> str:
        """The policy."""
        return f"attestation service policy {recorded.result['policy_id']}"

    def _look(self, ctx: Context, wanted: Wanted, recorded: Recorded) -> Observed:
        """`detail` is the recorded policy's id, where it is of what is wanted and not known to be gone."""
        args: AttestationPolicyArgs = wanted.args
        is_other = any(wanted.inputs.get(name) != recorded.inputs.get(name) for name in self.replace_on)
        if is_other or service_of(wanted.inputs) != service_of(recorded.inputs):
            return Observed()
        policy_id = str(recorded.result["policy_id"])
        if args.control is None or not args.can_ask():
            return Observed(detail=policy_id)
        from ppmlctl.clients.attestation import AttestationUntrustedError  # noqa: PLC0415 - not every plan needs it

        quote = _control(ctx, args, args.policy())
        try:
            in_force = quote is None or _passes(args.server.client(ctx), args, quote, policy_id)
        except (TransientError, AttestationUntrustedError):
            in_force = True  # it is not there, which its own task sees to: nothing says that the policy is gone
        return Observed(detail=policy_id) if in_force else ABSENT


def _control(ctx: Context, args: AttestationPolicyArgs, policy: Policy) -> bytes | None:
    """The control quote, if there is one. Raises InputError for one that the policy does not let pass."""
    if args.control is None:
        return None
    from ppmlctl.dcap import QuoteError, parse_quote, quote_bytes  # noqa: PLC0415 - not every plan needs it

    try:
        quote = quote_bytes(read_bytes(ctx.files.path(args.control)))
        parse_quote(quote)
        different = ", ".join(policy.differences(quote))
    except (OSError, QuoteError) as error:
        raise _unfit(args.control, str(error)) from None
    if different:
        raise _unfit(args.control, f"it shows another {different} than the policy says")
    return quote


def _registered(ctx: Context, args: AttestationPolicyArgs, policy: Policy) -> str | None:
    """The policy that an interrupted apply got an answer for, if it says what is wanted."""
    pending = ctx.intents.pending(ctx.address) or {}
    is_wanted = all(pending.get(name) == value for name, value in _intent(args, policy).items())
    return pending.get("policy_id") if is_wanted else None


def _intent(args: AttestationPolicyArgs, policy: Policy) -> dict[str, Any]:
    whose = {"operation": "registerPolicy", "server": args.server.url, "app_id": args.app_id}
    return {**whose, "type": policy.type.value, "fields": dict(policy.fields)}


def _register(ctx: Context, args: AttestationPolicyArgs, policy: Policy) -> str:
    from ppmlctl.clients.attestation import NOTHING_DONE  # noqa: PLC0415 - not every plan needs the client

    client = args.server.client(ctx)
    pending = ctx.intents.pending(ctx.address)
    if pending and "policy_id" not in pending:
        ctx.warn(f"an interrupted apply may have left a policy that nobody uses at {args.server.url}")
    intent = _intent(args, policy)
    with journalled(ctx, intent, NOTHING_DONE):
        policy_id = client.register_policy(args.account(), policy)
    ctx.intents.begin(ctx.address, intent | {"policy_id": policy_id})
    return policy_id


def _check_in_force(client: AttestationClient, args: AttestationPolicyArgs, policy_id: str, quote: bytes) -> None:
    """The refusal shows that the passes came of the policy, and not of a service that passes everything."""
    decoy = client.register_policy(args.account(), args.policy().another())
    steps = (
        (_passes(client, args, quote, None), "the control quote does not pass without a policy"),
        (_passes(client, args, quote, policy_id), "the control quote does not pass under the policy"),
        (not _passes(client, args, quote, decoy), "the control quote passes under a policy that nothing meets"),
    )
    for holds, otherwise in steps:
        if not holds:
            title, found = "the policy is not established", f"policy {policy_id}: the service answers that {otherwise}"
            why = "a policy that is not in force lets everything pass, or nothing"
            fix = "look at the service's log and its PCCS; ppmlctl attest quote judges the control quote here"
            raise EngineError(Diagnostic("policy-not-established", title, found, why, fix))


def _passes(client: AttestationClient, args: AttestationPolicyArgs, quote: bytes, policy_id: str | None) -> bool:
    from ppmlctl.clients.attestation import UNKNOWN_POLICY, AttestationRefusedError  # noqa: PLC0415 - the same

    try:
        return client.verify_quote(args.account(), quote, policy_id).passes
    except AttestationRefusedError as error:
        if error.words == UNKNOWN_POLICY:
            return False
        raise


def _unfit(name: str, reason: str) -> InputError:
    title, why = "the control quote is of no use", "it shall show what the policy lets pass"
    fix = "take one where the workload runs, and compare: ppmlctl attest quote FILE"
    return InputError(Diagnostic("control-quote-unfit", title, f"{name}: {reason}", why, fix))
