"""What a flow tells of itself; the rest of it is in files of its folder that are found by their names.

`tasks.yaml`: its tasks, which the shipped playbook of workloads takes in. `modules/`: its modules, one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.spec.kind import Kind
from ppmlctl.spec.language import KindRule


@dataclass(frozen=True)
class Flow:
    """One kind of workload."""

    key: str
    """Its key under `workloads[]`, and the name of its folder."""
    section: type[Kind]
    about: str
    """One sentence for people."""
    rules: tuple[KindRule, ...] = ()
    """What is particular to it; what its fields mean is seen by all other rules."""
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Pure functions of data that its tasks use in expressions."""
