"""Where an environment's sandbox keeps its state, and what runs there."""

from __future__ import annotations

import shlex
from pathlib import Path

from ppmlctl.diagnostics import Diagnostic, Severity, StateError
from ppmlctl.sandbox import process
from ppmlctl.sandbox.process import Sandbox

STATE_FOLDER = ".ppml"
"""Beside ppml.yaml; may be lost."""


def sandbox_folder(root: Path) -> Path:
    """The state folder of the sandbox that belongs to the environment in `root`."""
    return root / STATE_FOLDER / "sandbox"


def running_sandbox(root: Path) -> Sandbox | None:
    """The environment's sandbox, where it runs."""
    found = process.status(sandbox_folder(root))
    return found.sandbox if found else None


def start_sandbox(root: Path) -> Sandbox:
    """Starts it, or finds it running. Raises StateError."""
    return process.up(sandbox_folder(root))


def sandbox_not_started() -> Diagnostic:
    """What the plan of a first apply says."""
    title = "the sandbox does not run; apply starts it"
    return Diagnostic("sandbox-stopped", title, severity=Severity.WARNING)


def sandbox_stopped(recorded: int, file: Path) -> StateError:
    """The error for an environment whose recorded tasks cannot be looked at."""
    return StateError(
        Diagnostic(
            "sandbox-stopped",
            "the sandbox does not run",
            found=f"{recorded} recorded tasks live in it",
            why="what is there cannot be compared with what is wanted",
            fix=f"ppmlctl sandbox up -f {shlex.quote(str(file))}",
        )
    )
