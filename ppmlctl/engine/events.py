"""What the engine tells while it works. Whoever shows it to people listens; nothing here prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from ppmlctl.diagnostics import Diagnostic
from ppmlctl.evidence import Evidence
from ppmlctl.planning import PlannedAction, Selection


class Status(StrEnum):
    """How a task ended."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    """Not done: its condition does not hold, or (with a cause in `blame`) something that it needs failed."""
    FAILED = "failed"


@dataclass(frozen=True)
class TaskStarted:
    action: PlannedAction


@dataclass(frozen=True)
class TaskProgress:
    address: str
    text: str


@dataclass(frozen=True)
class Warned:
    address: str
    text: str


@dataclass(frozen=True)
class TaskFinished:
    """`seconds` of wall-clock time. `because` says why a task was skipped or kept."""

    action: PlannedAction
    status: Status
    seconds: float = 0.0
    because: str = ""
    evidence: Evidence | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    blame: str = ""
    """The task that failed first, or `stopped`, where this one was not even tried."""


Event = TaskStarted | TaskProgress | Warned | TaskFinished


class Listener(Protocol):
    """Called from the thread that runs the engine and from its workers; must be quick and safe for threads."""

    def __call__(self, event: Event, /) -> None: ...


@dataclass
class Recap:
    """How a whole apply ended."""

    finished: list[TaskFinished] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    selection: Selection = field(default_factory=Selection)
    """What the plan was about."""

    def counts(self) -> dict[str, int]:
        """ok, changed, skipped, failed; how many of the results are simulated; and how many things were kept where only
        their record went, which changed nothing of them.
        """
        forgotten = sum(one.status is Status.CHANGED and one.action.only_forgets for one in self.finished)
        by_status = Counter(one.status for one in self.finished)
        by_status[Status.CHANGED] -= forgotten
        simulated = sum(one.evidence is Evidence.SIMULATED for one in self.finished)
        return {status.value: by_status[status] for status in Status} | {"simulated": simulated, "forgotten": forgotten}

    @property
    def succeeded(self) -> bool:
        """Whether nothing failed, nothing was skipped over and nobody asked to stop."""
        return not self.interrupted and not any(one.status is Status.FAILED or one.blame for one in self.finished)
