"""A value that is not known before `apply`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unknown:
    """Stands in a plan for a value that a task will produce. It is never turned into text."""

    source: str
    """The task that will produce it, or the reason why it is not known (`vault locked`)."""

    def __str__(self) -> str:
        return "(known after apply)"


def unknowns_in(value: object) -> Iterator[Unknown]:
    """All unknowns inside nested mappings and sequences."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from unknowns_in(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from unknowns_in(member)
