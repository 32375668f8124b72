"""A task as planning sees it: an address, edges, and arguments that follow from other tasks' results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ppmlctl.diagnostics import Location
from ppmlctl.planning.model import Change, Observed, Recorded, Removal, Wanted
from ppmlctl.unknown import Unknown

Results = Mapping[str, Mapping[str, Any]]
"""Public results by address; a field that is not known yet is an Unknown."""


@dataclass(frozen=True)
class Task:
    """One step. `sources` are the tasks whose results its arguments read; `needs` holds these and the plain needs."""

    address: str
    module: str
    order: int
    arguments: Callable[[Results], Any]
    sources: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    condition: Callable[[Results], bool | Unknown] | None = None
    tags: frozenset[str] = frozenset()
    protect: bool = False
    title: str = ""
    location: Location | None = None


class Declaration(Protocol):
    """What planning knows of a module: how it decides, and what becomes of its things."""

    @property
    def kind(self) -> str: ...
    @property
    def is_workload(self) -> bool: ...
    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change: ...
    def removal_of(self, recorded: Recorded) -> Removal: ...
    def identity(self, args: Any) -> str | None: ...
    def recorded_identity(self, recorded: Recorded) -> str | None: ...
    def kept_result(self, args: Any, recorded: Recorded) -> Mapping[str, Any]: ...
    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change: ...
    def result_fields(self) -> Sequence[str]: ...
    @property
    def is_check(self) -> bool: ...
    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]: ...
    def notes(self, args: Any) -> Sequence[str]: ...
    def fingerprint(self, args: Any, digest: Callable[[bytes], str | None]) -> Mapping[str, Any]: ...
    def whole_inputs(self, args: Any, digest: Callable[[bytes], str | None]) -> Mapping[str, Any]: ...
