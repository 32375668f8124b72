"""Merging an applied configuration into a live object, and taking fields out again. Pure.

Source of the rules: sigs.k8s.io/structured-merge-diff, typed/merge.go and typed/remove.go.
"""

from __future__ import annotations

from typing import Any

from ppmlctl.sandbox.kubernetes.fields import FieldSet, Path, child_node, element_of, is_granular
from ppmlctl.sandbox.kubernetes.schema import ListOf, Node

METADATA: Path = ("f:metadata",)


def merge(live: Any, applied: Any, node: Node) -> Any:
    """The live value with the applied one laid over it; what the applied one does not name stays."""
    if not (is_granular(node, live) and is_granular(node, applied)):
        return applied
    if isinstance(node, ListOf):
        return _merge_lists(live, applied, node)
    merged = dict(live)
    for field, value in applied.items():
        merged[field] = merge(live[field], value, child_node(node, field)) if field in live else value
    return merged


def _merge_lists(live: list[Any], applied: list[Any], node: ListOf) -> list[Any]:
    """Applied items in their own order; an item that only the live list has stays behind the one it stood behind."""
    known = {element_of(node, item): item for item in live}
    named = {element_of(node, item): item for item in applied}
    order = list(named)
    place = 0
    for element in known:
        if element not in named:
            order.insert(place, element)
        place = order.index(element) + 1
    return [
        merge(known[element], named[element], node.item)
        if element in known and element in named
        else named.get(element, known.get(element))
        for element in order
    ]


def remove(value: Any, node: Node, paths: FieldSet) -> Any:
    """The value without what stands at these paths. Emptied containers stay only where they were not named."""
    return _remove(value, node, paths, ())


def _remove(value: Any, node: Node, paths: FieldSet, here: Path) -> Any:
    if not is_granular(node, value):
        return value
    if isinstance(node, ListOf):
        kept = [(item, (*here, element_of(node, item))) for item in value]
        return [_remove(item, node.item, paths, path) for item, path in kept if path not in paths]
    return {
        field: _remove(member, child_node(node, field), paths, path)
        for field, member in value.items()
        if (path := (*here, f"f:{field}")) not in paths
    }
