"""Whether an EHSM server is what it says: its quote, judged before its account is used for anything else.

Identity: the server and the account that asked; nothing is made. Nothing makes it replace; a server that shows another
enclave or TCB status than recorded, or is not accepted any more, is judged anew. Collateral is recorded by its digest
and the instant at which it ends, which is its own: a week before, plans warn; after it, the quote is drift.
Errors: `ehsm-refused-attestation` (the account stays quarantined, and the next apply uses it again),
`ehsm-not-verified` (nothing could be verified), `trust-root-unreadable`, `collateral-unreadable`, and those of the
PCCS: `pccs-*`. Source: intel/ehsm, GenerateQuote; Intel DCAP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.modules._ehsm import AccountArgs, refuse_unseen, seen
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Change, Observed, Recorded, Wanted, decide
from ppmlctl.planning.protections import is_on
from ppmlctl.secret import Secret

if TYPE_CHECKING:
    from ppmlctl.modules._ehsm_quote import Examination


class IdentityArgs(ModuleArgs):
    """The enclave that is expected."""

    mr_enclave: str | None = None
    mr_signer: str | None = None
    prod_id: int | None = None
    min_svn: int | None = None


class AcceptTcbArgs(ModuleArgs):
    """The states of a platform that are good enough."""

    statuses: tuple[str, ...] = ("UpToDate",)
    advisories: tuple[str, ...] = ()


class PccsArgs(ModuleArgs):
    """A PCCS, and the certificates that its TLS is trusted by."""

    url: str
    ca: str | None = None


class EhsmAttestArgs(AccountArgs):
    """`trust_root` and `collateral` are paths. Collateral comes from the file, else from the PCCS."""

    attest: Literal["required", "warn", "skip"] = "required"
    freshness: Literal["require", "accept"] = "accept"
    identity: IdentityArgs = IdentityArgs()
    accept_tcb: AcceptTcbArgs = AcceptTcbArgs()
    trust_root: str | None = None
    collateral: str | None = None
    pccs: PccsArgs | None = None


class EhsmAttestResult(ModuleResult):
    """The account, released from quarantine, and what speaks for the server. Empty fields: not looked at."""

    appid: str
    apikey: Secret
    verdict: str
    tcb_status: str
    advisories: list[str]
    root: str
    mr_enclave: str
    mr_signer: str
    collateral: str
    collateral_until: str


class EhsmAttest(Module[EhsmAttestArgs, EhsmAttestResult]):
    """See the module's text."""

    kind = "ehsm_attest"
    Args = EhsmAttestArgs
    Result = EhsmAttestResult
    shown = ("verdict",)
    is_check = True
    engine = "ehsm"
    echoes = frozenset({"apikey", "appid"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """What each recorded server shows now, and the judgement of today."""
        known = [one for one in wanted if one.address in ctx.recorded]
        return {one.address: seen(partial(self._look, ctx, one.args)) for one in known}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """The default. Raises what kept the server from showing a quote."""
        refuse_unseen(observed)
        return decide(wanted, observed, recorded)

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(_protections(inputs))

    def apply(self, ctx: Context, args: EhsmAttestArgs, observed: Observed) -> EhsmAttestResult:  # noqa: ARG002 - a fresh quote is judged
        """Judges a fresh quote; what is not accepted ends here, is warned of, or is let pass, as `attest` says."""
        if args.attest == "skip":
            return _result(args, None)
        examination = _examine(ctx, args)
        for note in examination.notes():
            ctx.warn(note)
        if not examination.verdict.accepted:
            if args.attest == "required":
                raise _refused(args, examination)
            ctx.warn(f"EHSM is not verified: {'; '.join(examination.verdict.faults)}")
        return _result(args, examination)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """There is nothing but the record."""

    def notes(self, args: EhsmAttestArgs) -> Sequence[str]:
        """Says aloud that a server may pass without being verified."""
        if args.attest not in ("warn", "skip"):
            return ()
        return (f"EHSM's quote decides nothing (attest: {args.attest}): its account is used whatever the server is",)

    def _look(self, ctx: Context, args: EhsmAttestArgs) -> Observed:
        if args.attest == "skip" or not args.can_ask():
            return Observed()
        examination = _examine(ctx, args)
        fields = {**examination.shown_fields(), "verdict": examination.verdict.statement}
        return Observed(fields=fields, notes=examination.notes())


def _protections(inputs: Mapping[str, Any]) -> Iterator[str]:
    if inputs.get("attest") not in ("warn", "skip"):
        yield "EHSM's account is used only where its quote is accepted"
    if inputs.get("attest") != "skip":
        yield "EHSM's quote is looked at"
    if inputs.get("freshness") == "require":
        yield "its quote has to be fresh"
    identity = inputs.get("identity")
    for name, value in (identity if isinstance(identity, Mapping) else {}).items():
        if is_on(value):
            yield f"its quote has to show the expected {name}"


def _examine(ctx: Context, args: EhsmAttestArgs) -> Examination:
    from ppmlctl.modules._ehsm_quote import examine  # noqa: PLC0415 - quotes need libraries that a plan may not

    return examine(ctx, args)


def _result(args: EhsmAttestArgs, examination: Examination | None) -> EhsmAttestResult:
    names = ("tcb_status", "root", "mr_enclave", "mr_signer", "collateral", "collateral_until")
    fields: dict[str, Any] = dict.fromkeys(names, "") | {"advisories": []}
    evidence, verdict = Evidence.NOT_VERIFIED, str(Evidence.NOT_VERIFIED)
    if examination is not None:
        fields |= {**examination.shown_fields(), **examination.collateral_fields(), "root": examination.root}
        evidence, verdict = examination.verdict.evidence, examination.verdict.statement
    return EhsmAttestResult(appid=args.appid, apikey=args.apikey, verdict=verdict, evidence=evidence, **fields)


def _refused(args: EhsmAttestArgs, examination: Examination) -> EngineError:
    unverified = not examination.verifiable
    code = "ehsm-not-verified" if unverified else "ehsm-refused-attestation"
    title = "EHSM could not be verified" if unverified else "EHSM's quote is not accepted"
    found = "\n".join([args.server.url, *examination.verdict.faults])
    why = "the account stays quarantined: nothing is entrusted to this server"
    fix = (
        "correct kms.ehsm (identity, accept_tcb, trust_root, tls), pccs, or the server; the next apply uses the account"
    )
    return EngineError(Diagnostic(code, title, found, why, fix))
