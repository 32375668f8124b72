"""What submits a run, a Job or a container: the part that whoever follows the run needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ppmlctl.runs.pods import Pods

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest


@dataclass(frozen=True)
class SubmitState:
    """How far the submitting process is; `cause` says why it failed, is gone, or too late: ended by its deadline."""

    phase: Literal["running", "done", "failed", "gone", "late"]
    cause: str = ""


class Submitter(Protocol):
    """Submits one run, and begins it once whatever happens in between."""

    def __str__(self) -> str:
        """What it is, for people."""

    def begin(self) -> float:
        """Starts, or finds itself started: the seconds since then. Safe to call again after a crash at any instant."""

    def look(self, pods: Pods) -> SubmitState:
        """How it stands."""

    def pod(self, pods: Pods) -> Manifest | None:
        """The pod that it runs in; None for a container of this machine."""

    def log(self, pods: Pods) -> str:
        """What it has written so far: the leader's log, where it leads the run."""

    def end(self) -> None:
        """Stops it where it runs."""
