"""Protections and checks that a change takes out of force: said on their own, before anybody agrees to the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ppmlctl.diagnostics import Diagnostic, Severity
from ppmlctl.planning.model import Recorded


class Protecting(Protocol):
    """What is asked of a module."""

    @property
    def is_check(self) -> bool: ...
    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]: ...


def dropped(
    address: str, module: Protecting, recorded: Recorded | None, inputs: Mapping[str, Any] | None
) -> list[Diagnostic]:
    """What the record had in force and `inputs` have not. No inputs: the task is gone; that drops what it checked."""
    if recorded is None or (inputs is None and not module.is_check):
        return []
    gone = module.protections(recorded.inputs) - (frozenset() if inputs is None else module.protections(inputs))
    return [_warning(address, one) for one in sorted(gone)]


def is_on(value: Any) -> bool:
    """Whether an argument has something in force. What is not known yet is not taken for dropped."""
    return value not in (None, False, "", [], {})


def _warning(address: str, protection: str) -> Diagnostic:
    return Diagnostic(
        "protection-dropped",
        "a protection that is in force is dropped",
        found=f"{address}: {protection}",
        why="the last apply made it so, and nothing that comes after this one is held to it",
        severity=Severity.WARNING,
    )
