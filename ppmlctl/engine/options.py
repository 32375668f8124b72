"""How an environment is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ppmlctl.engine.run import PARALLEL
from ppmlctl.planning import Tags


@dataclass(frozen=True)
class Options:
    """`prompt` asks for the vault's password; None where there is no terminal."""

    file: Path
    writes_allowed: bool = False
    move: bool = False
    accept_lockfile: bool = False
    """Whether the lockfile here counts although the cluster was made by a later or another one."""
    lock_timeout: float = 0.0
    """Seconds to wait for another apply that runs."""
    force_conflicts: bool = False
    rotate: tuple[str, ...] = ()
    """What is to be made anew though it is there: addresses of tasks, or entries of the vault."""
    replace: tuple[str, ...] = ()
    """Addresses of things that are to be taken away and made anew, whatever they hold."""
    tags: Tags = field(default_factory=Tags)
    """What the plan is restricted to."""
    parallel: int = PARALLEL
    prompt: Callable[[], str] | None = None
    rerun: frozenset[str] = frozenset()
    """Workloads that run again although nothing changed."""
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


def lockfile_path(file: Path) -> Path:
    """The lockfile of an environment's file, beside it."""
    return file.with_suffix(".lock")
