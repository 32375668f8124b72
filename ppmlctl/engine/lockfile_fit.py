"""Refuses a lockfile that lags behind the cluster: it would undo, or make twice, what another checkout has made."""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.state.lease import Fit, Revision, fit

_ANYWAY = "ppmlctl plan --accept-lockfile"


def check_fit(here: Revision, known: Revision | None) -> None:
    """Raises StateError where the lockfile here is not the one that the cluster was made by, nor a later one."""
    if known is None:
        return
    match fit(here, known):
        case Fit.OLDER:
            raise StateError(_older(here, known))
        case Fit.DIVERGED:
            raise StateError(_diverged(here))
        case Fit.LOST:
            raise StateError(_lost(known))
        case Fit.OTHER:
            raise StateError(_other(here, known))


def _older(here: Revision, known: Revision) -> Diagnostic:
    return Diagnostic(
        "lockfile-older",
        "the lockfile is older than what the cluster was made by",
        found=f"its serial is {here.serial}, the cluster's is {known.serial}",
        why="another checkout has applied since; from here its work would be undone or made twice",
        fix=f"get the newer one:\ngit pull\nor say that this one counts: {_ANYWAY}",
    )


def _diverged(here: Revision) -> Diagnostic:
    return Diagnostic(
        "lockfile-diverged",
        "the lockfile is another one than the cluster was made by",
        found=f"both have serial {here.serial}, and record different things",
        why="two checkouts have applied from the same state; what one of them made is not in the other's lockfile",
        fix=f"get the one that was applied last:\ngit pull\nor say that this one counts: {_ANYWAY}",
    )


def _lost(known: Revision) -> Diagnostic:
    return Diagnostic(
        "lockfile-lost",
        "the lockfile is missing here",
        found=f"the cluster was made by one with serial {known.serial}, of environment {known.environment}",
        why="without it everything would be planned anew, secrets and accounts among it",
        fix=f"restore it from version control, with the vault:\ngit pull\nor say that all is made anew: {_ANYWAY}",
    )


def _other(here: Revision, known: Revision) -> Diagnostic:
    return Diagnostic(
        "another-environment",
        "another environment has this name in this namespace",
        found=f"the lockfile here is of {here.environment}, the cluster's of {known.environment}",
        why="the two would take each other's objects",
        fix=f"give this one another name or namespace, or say that it takes the other's place: {_ANYWAY}",
    )
