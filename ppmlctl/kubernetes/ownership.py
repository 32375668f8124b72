"""Which fields of a live object a manager holds, as the API server records it in `metadata.managedFields`.

The record is a trie of field names (`f:spec`), keys of merged lists (`k:{"name":"main"}`), members of sets (`v:"x"`)
and `.` for the place itself. Format: FieldsV1, kubernetes-sigs/structured-merge-diff, fieldpath/serialize.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Manifest = Mapping[str, Any]


def fields_held(live: Manifest, manager: str) -> dict[str, Any]:
    """The part of `live` that `manager` last applied: what it declared, with the values that are there now."""
    held: dict[str, Any] = {}
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            held = _merged(held, _projected(live, entry.get("fieldsV1") or {}))
    return held


def first_writer(live: Manifest) -> str | None:
    """The manager whose last write is the oldest; of equal times (whole seconds) an applier's.

    For an object that was applied just now this tells whether the applier made it or found it.
    """
    entries = [entry for entry in (live.get("metadata") or {}).get("managedFields") or () if entry.get("time")]
    first = min(entries, key=lambda entry: (entry["time"], entry.get("operation") != "Apply"), default=None)
    return first["manager"] if first else None


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both; the second counts where they name the same field (a manager has one entry for each API version)."""
    both = {**one, **other}
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            both[name] = _merged(one[name], other[name])
    return both


def _projected(live: Any, fields: Manifest) -> Any:
    """What of `live` the trie names. A leaf stands for all below it, a lone `.` for the place without content."""
    inner = {step: rest for step, rest in fields.items() if step != "."}
    if not inner:
        return type(live)() if fields and isinstance(live, dict | list) else live
    if isinstance(live, Mapping):
        named = {step[2:]: rest for step, rest in inner.items() if step.startswith("f:")}
        return {name: _projected(live[name], rest) for name, rest in named.items() if name in live}
    if isinstance(live, list):
        return list(_elements(live, inner))
    return live


def _elements(live: list[Any], fields: Manifest) -> Iterator[Any]:
    for step, rest in fields.items():
        kind, _, text = step.partition(":")
        wanted = json.loads(text)
        for element in live:
            if kind == "v" and element == wanted:
                yield element
            elif kind == "k" and isinstance(element, Mapping) and wanted.items() <= element.items():
                yield _projected(element, rest)
