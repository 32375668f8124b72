"""Which world a lockfile belongs to, so that a changed context cannot plan everything into another cluster."""

from __future__ import annotations

from collections.abc import Collection

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.modules.context import Engines
from ppmlctl.state import Lockfile


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
            fix="use another file for another target, or say that you mean it: --move",
        )
    )


def engine_identities(engines: Engines, wanted: Collection[str], *, sandboxed: bool) -> dict[str, str]:
    """What tells each engine from all others. The sandbox is local to the environment and has no name of its own."""
    if sandboxed or "kubernetes" not in wanted:
        return {}
    return {"kubernetes": engines.kubernetes.cluster_identity()}
