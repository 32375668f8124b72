"""Which fields of a live object a manager holds, as the API server records it in `metadata.managedFields`.

The record is a trie of field names (`f:spec`), keys of merged lists (`k:{"name":"main"}`), members of sets (`v:"x"`)
and `.` for the place itself. Format: FieldsV1, kubernetes-sigs/structured-merge-diff, fieldpath/serialize.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Manifest = Mapping[str, Any]


def fields_of(live: Manifest, manager: str) -> dict[str, Any]:
    """The trie of what `manager` last applied; empty where it applied nothing."""
    return _merged_all(
        entry for entry in _entries(live) if (entry.get("manager"), entry.get("operation")) == (manager, "Apply")
    )


def fields_of_all(live: Manifest) -> dict[str, Any]:
    """The trie of what any manager holds, which tells how the server merges the object's lists."""
    return _merged_all(_entries(live))


def has_updated(live: Manifest, manager: str) -> bool:
    """Whether `manager` holds fields that it did not apply: those would stay where a later apply leaves them out."""
    return any(_is_update(entry, manager) for entry in _entries(live))


def as_applied(live: Manifest, manager: str) -> list[Mapping[str, Any]]:
    """The managedFields in which all that `manager` holds is applied. Source: client-go, util/csaupgrade."""
    mine = [entry for entry in _entries(live) if entry.get("manager") == manager and not entry.get("subresource")]
    others = [entry for entry in _entries(live) if entry not in mine]
    return [{**mine[-1], "operation": "Apply", "fieldsV1": _whole(mine)}, *others] if mine else others


def first_writer(live: Manifest) -> str | None:
    """The manager whose last write is the oldest; of equal times (whole seconds) an applier's.

    For an object that was applied just now this tells whether the applier made it or found it.
    """
    entries = [entry for entry in _entries(live) if entry.get("time")]
    first = min(entries, key=lambda entry: (entry["time"], entry.get("operation") != "Apply"), default=None)
    return first["manager"] if first else None


def _entries(live: Manifest) -> list[Mapping[str, Any]]:
    return list((live.get("metadata") or {}).get("managedFields") or ())


def _is_update(entry: Mapping[str, Any], manager: str) -> bool:
    written_by = (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "")
    return written_by == (manager, "Update", "")


def _merged_all(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Without `.`, which says nothing of what lies below."""
    return _below(_whole(entries))


def _below(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {step: _below(below) for step, below in fields.items() if step != "."}


def _whole(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All of a manager's entries, as it has one for each API version.

    `.` is kept: with an element of a list that nobody holds as such, Kubernetes 1.20 cannot remove it again.
    """
    merged: dict[str, Any] = {}
    for entry in entries:
        merged = _merged(merged, entry.get("fieldsV1") or {})
    return merged


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {step: _merged(one.get(step) or {}, other.get(step) or {}) for step in {**one, **other}}
