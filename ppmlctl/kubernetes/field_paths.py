"""Which fields a manifest has, whatever their values: objects of one path set are of one shape to a schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FieldPath = tuple[str, ...]
"""Names from the root to a leaf; members of a list are `[]`."""


def field_paths(manifest: Any) -> frozenset[FieldPath]:
    """The paths of all leaves, and of empty maps and lists."""
    return frozenset(_paths(manifest, ()))


def _paths(value: Any, path: FieldPath) -> Iterator[FieldPath]:
    members = (
        value.items() if isinstance(value, dict) else (("[]", one) for one in value) if isinstance(value, list) else ()
    )
    below = [found for name, member in members for found in _paths(member, (*path, str(name)))]
    yield from below or [path]
