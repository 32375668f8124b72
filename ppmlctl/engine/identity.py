"""Which world a lockfile belongs to, so that a changed context cannot plan everything into another cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ppmlctl.diagnostics import Diagnostic, EngineError, StateError
from ppmlctl.modules.context import Engines
from ppmlctl.state import Lockfile

KUBERNETES = "kubernetes"
_NAMESPACE = "namespace "
"""Before the name, in the lockfile's `engines`."""


def check_target(lockfile: Lockfile, target: str, *, move: bool) -> None:
    """Refuses a lockfile of the other target, unless the user asked to move."""
    if move or not lockfile.target or lockfile.target == target:
        return
    raise StateError(
        Diagnostic(
            "another-target",
            "the lockfile belongs to another target",
            found=f"target is {target}, the lockfile was made for {lockfile.target}",
            why="nothing that it records exists there",
            fix="use another file for another target, or say that you mean it: ppmlctl plan --move",
        )
    )


def engine_identities(engines: Engines, wanted: Collection[str], *, namespace: str, sandboxed: bool) -> dict[str, str]:
    """What tells each wanted engine from all others. The sandbox is local to the environment and has none.

    A cluster is told by its kube-system. Who has no rights there tells it by `namespace`, which becomes an entry of
    its own; those wanted are compared whoever asks.
    """
    if sandboxed:
        return {}
    known = [name.removeprefix(_NAMESPACE) for name in wanted if name.startswith(_NAMESPACE)]
    cluster = _cluster_identity(engines) if KUBERNETES in wanted else None
    asked = {*known, namespace} if KUBERNETES in wanted and cluster is None else known
    found = {f"{_NAMESPACE}{name}": uid for name in sorted(asked) if (uid := _namespace_identity(engines, name))}
    return {KUBERNETES: cluster, **found} if cluster else found


def check_identities(known: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuses another cluster than the lockfile's. What cannot be looked at is not compared."""
    moved = [name for name, uid in known.items() if now.get(name) not in {None, uid}]
    if moved:
        name = "kube-system" if moved[0] == KUBERNETES else moved[0]
        raise StateError(
            Diagnostic(
                "another-cluster",
                "this is another cluster than the lockfile's",
                found=f"{name} is {now[moved[0]]}, the lockfile was made on {known[moved[0]]}",
                why="everything recorded would be planned into a cluster that does not have it",
                fix="choose the right context (cluster.context), or say that you mean it: ppmlctl plan --move",
            )
        )


def _cluster_identity(engines: Engines) -> str | None:
    try:
        return engines.kubernetes.cluster_identity()
    except EngineError as error:
        if error.diagnostics[0].code == "k8s-forbidden":
            return None
        raise


def _namespace_identity(engines: Engines, name: str) -> str | None:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - 0.3 s that not every command pays

    found = engines.kubernetes.get(ObjectKey("v1", "Namespace", "", name))
    return str(found["metadata"]["uid"]) if found else None
