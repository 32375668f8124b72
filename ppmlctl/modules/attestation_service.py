"""BigDL's Remote Attestation Service at a given address: that it answers, over TLS that is trusted.

Manages nothing: where it is deployed, other tasks do that. Identity: its URL. Nothing makes it replace. An apply waits
up to a minute for the service to answer.
Errors: `attestation-unreachable`, `attestation-untrusted`, `attestation-answer-wrong`. Source: intel-analytics/BigDL,
`BigDLRemoteAttestationService.scala`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import EngineError
from ppmlctl.modules._answering import once_it_answers
from ppmlctl.modules._attestation import AttestationServerArgs
from ppmlctl.modules._ehsm import is_known
from ppmlctl.modules._protections import of_server
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed, Recorded, Removal, Wanted


class AttestationServiceArgs(AttestationServerArgs):
    """The service."""


class AttestationServiceResult(ModuleResult):
    """The service as it was reached, for those that ask it."""

    url: str
    ca: str | None
    fingerprint: str | None
    insecure: bool


class AttestationService(Module[AttestationServiceArgs, AttestationServiceResult]):
    """See the module's text."""

    kind = "attestation_service"
    Args = AttestationServiceArgs
    Result = AttestationServiceResult
    shown = ("url",)
    engine = "attestation"
    removal = Removal.KEEP
    echoes = frozenset({"ca", "fingerprint", "insecure", "url"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """Each service that answers. Tasks before may deploy it, so another one at its address is apply's to refuse."""
        found = {}
        for one in wanted:
            if not is_known(one.args):
                continue
            try:
                one.args.client(ctx).check()
            except EngineError:
                continue
            found[one.address] = Observed(foreseen=_result(one.args))
        return found

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return of_server(inputs)

    def apply(self, ctx: Context, args: AttestationServiceArgs, observed: Observed) -> AttestationServiceResult:  # noqa: ARG002 - asked again, it may be older
        """Waits until the service answers."""
        once_it_answers(ctx, args.url, lambda: args.client(ctx).check())
        return AttestationServiceResult(evidence=ctx.simulated, **_result(args))

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the service alone."""

    def notes(self, args: AttestationServiceArgs) -> Sequence[str]:
        """What everybody who trusts its verdicts should know."""
        unsigned = (
            f"attestation service at {args.url}: it signs no verdict, and the images' client accepts any certificate: "
            "pods believe whoever answers there"
        )
        insecure = f"attestation service at {args.url}: its certificate is not checked (insecure: true)"
        return (unsigned, insecure) if args.insecure is True else (unsigned,)

    def kept_as(self, recorded: Recorded) -> str:
        """The service."""
        return f"attestation service at {recorded.result['url']}"


def _result(args: AttestationServiceArgs) -> dict[str, str | bool | None]:
    return {name: getattr(args, name) for name in AttestationServiceArgs.model_fields}
