"""A persistent volume claim that is in the cluster already, made by somebody else.

Identity: namespace and name. Nothing is made or taken away; a plan refuses to go on without it. Errors:
`k8s-claim-missing`, `k8s-claim-lost` where its volume is gone. Source: Kubernetes, "Persistent Volumes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._kubernetes import home_of
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, Observed, Recorded, Removal, Wanted


class K8sClaimArgs(ModuleArgs):
    """Where it is."""

    name: str
    namespace: str


class K8sClaimResult(ModuleResult):
    """Where it is."""

    name: str
    namespace: str


class K8sClaim(Module[K8sClaimArgs, K8sClaimResult]):
    """See the module's text."""

    kind = "k8s_claim"
    Args = K8sClaimArgs
    Result = K8sClaimResult
    engine = "kubernetes"
    removal = Removal.KEEP
    shown = ("name",)
    echoes = frozenset({"name", "namespace"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """`detail` is the claim's phase."""
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - 0.3 s that --version does not pay

        found = {}
        for one in wanted:
            if isinstance(one.args.name, str) and isinstance(one.args.namespace, str):
                key = ObjectKey("v1", "PersistentVolumeClaim", one.args.namespace, one.args.name)
                if (live := ctx.engines.kubernetes.get(key)) is not None:
                    found[one.address] = Observed(detail=(live.get("status") or {}).get("phase"))
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises EngineError where pods could not mount it."""
        _require(wanted.args, observed)
        if recorded is None:
            return Change(ActionKind.CREATE, ("is there, and is used from now on",))
        before = (recorded.result["namespace"], recorded.result["name"])
        if before != (wanted.args.namespace, wanted.args.name):
            return Change(ActionKind.UPDATE, ("another claim is used from now on",))
        return Change(ActionKind.KEEP, ("it is there",))

    def apply(self, ctx: Context, args: K8sClaimArgs, observed: Observed) -> K8sClaimResult:
        _require(args, observed)
        return K8sClaimResult(name=args.name, namespace=args.namespace, evidence=ctx.simulated)

    def lives_in(self, recorded: Recorded) -> str | None:
        return home_of(recorded)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Leaves it as it is."""


def _require(args: K8sClaimArgs, observed: Observed) -> None:
    where = f"{args.namespace}/{args.name}"
    if not observed.exists:
        raise EngineError(
            Diagnostic(
                "k8s-claim-missing",
                "the persistent volume claim does not exist",
                found=where,
                why="cluster.storage names a claim that must be there before pods can mount it",
                fix="make the claim, or have it made from an NFS export: cluster.storage.nfs",
            )
        )
    if observed.detail == "Lost":
        raise EngineError(
            Diagnostic(
                "k8s-claim-lost",
                "the persistent volume claim has lost its volume",
                found=where,
                why="pods that mount it do not start",
                fix="restore the volume that its spec.volumeName names",
            )
        )
