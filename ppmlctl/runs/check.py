"""What is asked of the cluster before a run begins, so that it does not wait for what will never come."""

from __future__ import annotations

from collections.abc import Iterable

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.objects import Manifest
from ppmlctl.runs.world import World


def check_pods(ctx: World, pods: Iterable[Manifest]) -> None:
    """Whether the cluster takes the pods that a run will ask for. Raises EngineError where it does not."""
    for pod in pods:
        metadata = {**pod["metadata"], "name": f"{pod['metadata']['name']}-template"}
        ctx.engines.kubernetes.apply({**pod, "metadata": metadata}, dry_run=True)


def check_claim(ctx: World, namespace: str, claim: str) -> None:
    """Raises EngineError (claim-missing) where the claim that pods mount is not there; the sandbox's need none."""
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    key = ObjectKey("v1", "PersistentVolumeClaim", namespace, claim)
    if ctx.simulated is None and ctx.engines.kubernetes.get(key) is None:
        title, why = "a volume claim is not there", "pods that mount it would wait for it for ever"
        fix = "make it, or have it made: `cluster.storage.nfs`"
        raise EngineError(Diagnostic("claim-missing", title, found=str(key), why=why, fix=fix))
