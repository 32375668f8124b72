"""Whether an object fits its schema: unknown fields and wrong types. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.sandbox.kubernetes import quantity
from ppmlctl.sandbox.kubernetes.fields import as_text, element_of
from ppmlctl.sandbox.kubernetes.kinds import Json
from ppmlctl.sandbox.kubernetes.schema import ANY, ListOf, MapOf, Node, Scalar, Struct

TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
NAMES: Mapping[str, str] = {"str": "string", "int": "numeric", "float": "numeric", "bool": "boolean", "bytes": "string"}
KEPT_EMPTY = frozenset(
    {
        ("V1Role", "rules"),
        ("V1ClusterRole", "rules"),
        ("V1PodSpec", "containers"),
        ("V1HostPathVolumeSource", "type"),
        ("V1PersistentVolumeClaimSpec", "storageClassName"),
    }
)
"""Lists and texts that stay when they are empty; all others are left out."""
OMITTED_ZEROES = frozenset(
    {
        ("V1Container", "stdin"),
        ("V1Container", "stdinOnce"),
        ("V1Container", "tty"),
        ("V1NFSVolumeSource", "readOnly"),
        ("V1PersistentVolumeClaimVolumeSource", "readOnly"),
        ("V1PodSpec", "hostIPC"),
        ("V1PodSpec", "hostNetwork"),
        ("V1PodSpec", "hostPID"),
        ("V1Probe", "initialDelaySeconds"),
        ("V1ServicePort", "nodePort"),
        ("V1ServiceSpec", "publishNotReadyAddresses"),
        ("V1VolumeMount", "readOnly"),
    }
)
"""Flags and numbers that are left out when they are false or 0; all others stay."""


@dataclass(frozen=True)
class Fault:
    """One place that does not fit. `path` is dotted (`.data.a`)."""

    path: str
    message: str
    unknown: bool = False
    """Whether the field is one that the schema does not know."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def faults(value: Any, node: Node, path: str = "") -> Iterator[Fault]:
    """Everything in `value` that does not fit; null fits everywhere."""
    if value is None or node == ANY:
        return
    match node:
        case Struct() | MapOf():
            yield from _mapping_faults(value, node, path)
        case ListOf():
            yield from _list_faults(value, node, path)
        case Scalar(type):
            yield from _scalar_faults(value, type, path)


def _mapping_faults(value: Any, node: Struct | MapOf, path: str) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield Fault(path, f"expected map, got {_shown(value)}")
        return
    for field, member in value.items():
        below = node.value if isinstance(node, MapOf) else node.fields.get(field)
        if below is None:
            yield Fault(f"{path}.{field}", "field not declared in schema", unknown=True)
        else:
            yield from faults(member, below, f"{path}.{field}")


def _list_faults(value: Any, node: ListOf, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(path, f"expected list, got {_shown(value)}")
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        place = _place_of(item, node, index)
        if node.keys and place in seen:
            yield Fault(path, f"duplicate entries for key {place}")
        elif node.keys and not (isinstance(item, Mapping) and node.keys[0] in item):
            missing = f"associative list with keys has an element that omits key field {node.keys[0]!r}"
            yield Fault(path, f"element {index}: {missing}")
        else:
            yield from faults(item, node.item, f"{path}{place}")
        seen.add(place)


def _place_of(item: Any, node: ListOf, index: int) -> str:
    """How a path names the item: by its keys where it has them."""
    if node.keys and isinstance(item, Mapping) and node.keys[0] in item:
        return as_text((element_of(node, item),))
    return f"[{index}]"


def _scalar_faults(value: Any, type_name: str, path: str) -> Iterator[Fault]:
    if type_name == "quantity":
        try:
            quantity.canonical(value)
        except quantity.QuantityError:
            yield Fault(
                path, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
    elif type_name == "bytes":
        if not (isinstance(value, str) and _is_base64(value)):
            yield Fault(path, "illegal base64 data")
    else:
        wrong = not isinstance(value, TYPES[type_name]) or (isinstance(value, bool) and type_name != "bool")
        if wrong:
            yield Fault(path, f"expected {NAMES[type_name]}, got {_shown(value)}")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text.replace("\n", ""), validate=True)
    except binascii.Error:
        return False
    return True


def _shown(value: Any) -> str:
    """The kind of value, not the value: it may be a secret."""
    return {dict: "a map", list: "a list", str: "text", bool: "a boolean"}.get(type(value), "a number")


def pruned(value: Any, node: Node) -> Any:
    """The value without unknown fields and nulls, as a decoder without strict checking reads it."""
    match node:
        case Struct() if isinstance(value, Mapping):
            known = {field: below for field in value if (below := node.fields.get(field)) is not None}
            return _without_nulls({field: pruned(value[field], below) for field, below in known.items()})
        case MapOf() if isinstance(value, Mapping):
            return _without_nulls({field: pruned(member, node.value) for field, member in value.items()})
        case ListOf() if isinstance(value, list):
            return [pruned(item, node.item) for item in value]
        case _:
            return value


def _without_nulls(value: Json) -> Json:
    return {field: member for field, member in value.items() if member is not None}


def canonical(value: Any, node: Node) -> Any:
    """The value as the API server keeps it: quantities in one spelling, empty lists and free mappings left out."""
    match node:
        case Scalar("quantity"):
            return quantity.canonical(value)
        case Struct() if isinstance(value, Mapping):
            below = {field: canonical(member, node.fields.get(field, ANY)) for field, member in value.items()}
            return {field: member for field, member in below.items() if member or not _omits_empty(node, field, member)}
        case MapOf() if isinstance(value, Mapping):
            return {field: canonical(member, node.value) for field, member in value.items()}
        case ListOf() if isinstance(value, list):
            return [canonical(item, node.item) for item in value]
        case _:
            return value


def _omits_empty(node: Struct, field: str, member: Any) -> bool:
    """Whether the API leaves this field out when it is empty, false or zero (Go's `omitempty` on plain types)."""
    place = (node.model, field)
    if isinstance(node.fields.get(field), ListOf | MapOf) or member == "":
        return place not in KEPT_EMPTY
    return place in OMITTED_ZEROES
