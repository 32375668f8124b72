"""An EHSM server at a given address: that it answers, over TLS that is trusted.

Manages nothing: the server is somebody else's. Identity: its URL. Nothing makes it replace. An apply waits up to a
minute for the server to answer.
Errors: `ehsm-unreachable`, `ehsm-untrusted`, `ehsm-answer-wrong`. Source: intel/ehsm, GetVersion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import TransientError
from ppmlctl.modules._answering import once_it_answers
from ppmlctl.modules._ehsm import ServerArgs, is_known
from ppmlctl.modules._protections import of_server
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed, Recorded, Removal, Wanted


class EhsmServiceArgs(ServerArgs):
    """The server."""


class EhsmServiceResult(ModuleResult):
    """The server as it was reached, for those that ask it, and the version it tells."""

    url: str
    ca: str | None
    fingerprint: str | None
    insecure: bool
    version: str


class EhsmService(Module[EhsmServiceArgs, EhsmServiceResult]):
    """See the module's text."""

    kind = "ehsm_service"
    Args = EhsmServiceArgs
    Result = EhsmServiceResult
    shown = ("url",)
    engine = "ehsm"
    removal = Removal.KEEP
    echoes = frozenset({"ca", "fingerprint", "insecure", "url"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The version of each server that answers. A server that was reached before and is not now is an error."""
        found = {}
        for one in wanted:
            if not is_known(one.args):
                continue
            try:
                version = one.args.client(ctx).get_version().version
            except TransientError:
                if one.address in ctx.recorded:
                    raise
                continue
            found[one.address] = Observed(fields={"version": version}, foreseen=_result(one.args, version))
        return found

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return of_server(inputs)

    def apply(self, ctx: Context, args: EhsmServiceArgs, observed: Observed) -> EhsmServiceResult:  # noqa: ARG002 - asked again, it may be older
        """Waits until the server answers."""
        version = once_it_answers(ctx, args.url, lambda: args.client(ctx).get_version().version)
        return EhsmServiceResult(evidence=ctx.simulated, **_result(args, version))

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves the server alone."""

    def notes(self, args: EhsmServiceArgs) -> Sequence[str]:
        """Says aloud that TLS authenticates nobody."""
        if args.insecure is not True:
            return ()
        return (f"EHSM at {args.url}: its certificate is not checked (insecure: true)",)

    def kept_as(self, recorded: Recorded) -> str:
        """The server."""
        return f"EHSM at {recorded.result['url']}"


def _result(args: EhsmServiceArgs, version: str) -> dict[str, str | bool | None]:
    return {name: getattr(args, name) for name in EhsmServiceArgs.model_fields} | {"version": version}
