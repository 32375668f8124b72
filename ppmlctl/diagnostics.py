"""What ppmlctl says when something is wrong: an error is data, and only the command line renders it.

PpmlError                 one or more diagnostics; exit code 1
├── InputError            a file that the user wrote (ppml.yaml, playbook, lockfile, vault, saved plan)
├── StateError            lockfile, vault or journal do not fit what is here
├── EngineError           an engine (Docker, Kubernetes, EHSM) refused or could not be reached
│   └── TransientError    the same, but another try may succeed
└── WriteRefusedError     a write was tried where only reads are allowed: a defect, never a user's mistake
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Location:
    """A place in a file the user wrote. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}  {self.path}" if self.path else place


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    `code` is stable kebab-case; `title` holds no user data; `found` says what is, `why` why it matters, `fix` how to
    mend it.
    """

    code: str
    title: str
    found: str = ""
    why: str = ""
    fix: str = ""
    at: Location | None = None
    severity: Severity = Severity.ERROR

    def lines(self) -> Iterator[str]:
        """The finding as plain text lines, without colour."""
        yield f"{self.severity}[{self.code}]: {self.title}"
        place = str(self.at) if self.at else ""
        for label, text in (("at", place), ("is", self.found), ("why", self.why), ("fix", self.fix)):
            for number, line in enumerate(text.splitlines()):
                yield f"  {label if number == 0 else '':<4} {line}"


def by_position(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Stable order: by file, line and column; findings without a place last."""
    return sorted(diagnostics, key=lambda d: (d.at is None, d.at or Location("", 0, 0)))


class PpmlError(Exception):
    """One or more things the user can mend. Never carries a secret value."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(by_position(diagnostics))
        super().__init__("\n".join(line for d in self.diagnostics for line in d.lines()))


class InputError(PpmlError):
    """A file that the user wrote is wrong."""


class StateError(PpmlError):
    """Lockfile, vault or keys do not fit what is here."""


class EngineError(PpmlError):
    """An engine refused an operation or could not be reached."""


class TransientError(EngineError):
    """An engine failed in a way that another try may mend, by its own word not before `retry_after` seconds."""

    def __init__(self, *diagnostics: Diagnostic, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after
        super().__init__(*diagnostics)


class WriteRefusedError(PpmlError):
    """A write was tried through a client that only reads."""


@contextmanager
def located(at: Location | None) -> Iterator[None]:
    """Gives errors that leave this block without a place the place `at`, so that inner code needs no file names."""
    try:
        yield
    except PpmlError as error:
        error.diagnostics = tuple(d if d.at else replace(d, at=at) for d in error.diagnostics)
        error.args = ("\n".join(line for d in error.diagnostics for line in d.lines()),)
        raise
