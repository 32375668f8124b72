"""Sets of field paths as managedFields write them (`fieldsV1`), and the values found at them.

A path is a tuple of elements: `f:NAME` for a field or key, `k:{...}` for an item of a list merged by key,
`v:VALUE` for a member of a set. Source: sigs.k8s.io/structured-merge-diff, fieldpath/serialize-pe.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ppmlctl.sandbox.kubernetes.kinds import Json
from ppmlctl.sandbox.kubernetes.schema import ANY, KEY_DEFAULTS, ListOf, MapOf, Node, Scalar, Struct

Path: TypeAlias = tuple[str, ...]
FieldSet: TypeAlias = frozenset[Path]

MEMBER = "."
_compact = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def child_node(node: Node, field: str) -> Node:
    """What the schema says of one field; a field it does not know may hold anything."""
    match node:
        case Struct():
            return node.fields.get(field, ANY)
        case MapOf():
            return node.value
        case _:
            return ANY


def is_granular(node: Node, value: object) -> bool:
    """Whether the parts of this value are owned and merged one by one."""
    match node:
        case Struct() | MapOf():
            return isinstance(value, Mapping) and not node.atomic
        case ListOf():
            return isinstance(value, list) and bool(node.keys or node.is_set)
        case Scalar():
            return node == ANY and isinstance(value, Mapping)


def key_of(node: ListOf, item: Mapping[str, Any]) -> Json:
    """The values by which an item of this list is known; a key with a default may be left out."""
    return {key: item.get(key, KEY_DEFAULTS.get(key)) for key in node.keys}


def element_of(node: ListOf, item: Any) -> str:
    """The path element of one list item."""
    if node.is_set:
        return "v:" + _compact(item)
    return "k:" + _compact(key_of(node, item))


def children(value: Any, node: Node) -> Iterator[tuple[str, Any, Node]]:
    """The parts of a granular value: path element, value, schema."""
    if isinstance(node, ListOf):
        for item in value:
            yield element_of(node, item), item, node.item
        return
    for field, member in value.items():
        yield f"f:{field}", member, child_node(node, field)


def leaves(value: Any, node: Node, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path that a manager can own in this value, with what stands there; an item of a keyed list is one too."""
    if path and not (is_granular(node, value) and value):
        yield path, value
        return
    for element, member, member_node in children(value, node):
        here = (*path, element)
        if element.startswith("k:"):
            yield here, None
        yield from leaves(member, member_node, here)


def with_prefixes(paths: Iterable[Path]) -> FieldSet:
    """The paths and everything above them."""
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


def encode(paths: FieldSet) -> Json:
    """The set as `fieldsV1` writes it."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node[MEMBER] = {}
    return _without_lone_marks(tree)


def _without_lone_marks(tree: Json) -> Json:
    return {
        element: {} if below == {MEMBER: {}} or element == MEMBER else _without_lone_marks(below)
        for element, below in sorted(tree.items())
    }


def decode(tree: Mapping[str, Any], path: Path = ()) -> FieldSet:
    """The set that `fieldsV1` holds."""
    if path and not tree:
        return frozenset({path})
    found: set[Path] = set()
    for element, below in tree.items():
        found |= {path} if element == MEMBER else decode(below, (*path, element))
    return frozenset(found)


def as_text(path: Path) -> str:
    """The path as conflict messages write it: `.spec.containers[name="c"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    mark, _, text = element.partition(":")
    if mark == "f":
        return f".{text}"
    if mark == "k":
        return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(text).items()) + "]"
    return f"[={text}]"
