"""The shape of each kind: fields, types, and which lists are merged by key.

Fields and types come from the models of the official Python client, so unknown fields and wrong types are found here as
on a real server. What those models do not carry, list keys and atomic values, stands in the tables below; source: the
`x-kubernetes-list-type`, `-list-map-keys`, `-map-type` and `-patch-merge-key` marks of the API's OpenAPI document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

from ppmlctl.sandbox.kubernetes.kinds import Kind

MERGE_KEYS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("V1Container", "env"): ("name",),
    ("V1Container", "ports"): ("containerPort", "protocol"),
    ("V1Container", "volumeDevices"): ("devicePath",),
    ("V1Container", "volumeMounts"): ("mountPath",),
    ("V1EphemeralContainer", "env"): ("name",),
    ("V1EphemeralContainer", "volumeDevices"): ("devicePath",),
    ("V1EphemeralContainer", "volumeMounts"): ("mountPath",),
    ("V1PodSpec", "containers"): ("name",),
    ("V1PodSpec", "ephemeralContainers"): ("name",),
    ("V1PodSpec", "hostAliases"): ("ip",),
    ("V1PodSpec", "imagePullSecrets"): ("name",),
    ("V1PodSpec", "initContainers"): ("name",),
    ("V1PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("V1PodSpec", "volumes"): ("name",),
    ("V1PodStatus", "conditions"): ("type",),
    ("V1PodStatus", "podIPs"): ("ip",),
    ("V1ServiceSpec", "ports"): ("port", "protocol"),
    ("V1ServiceStatus", "conditions"): ("type",),
    ("V1ServiceAccount", "secrets"): ("name",),
    ("V1DeploymentStatus", "conditions"): ("type",),
    ("V1NamespaceStatus", "conditions"): ("type",),
    ("V1NodeStatus", "conditions"): ("type",),
    ("V1NodeStatus", "addresses"): ("type",),
    ("V1ObjectMeta", "ownerReferences"): ("uid",),
}
KEY_DEFAULTS: Mapping[str, str] = {"protocol": "TCP"}
SETS = frozenset({("V1ObjectMeta", "finalizers"), ("V1NodeSpec", "podCIDRs")})
ATOMIC_MODELS = frozenset(
    {
        "V1ConfigMapKeySelector",
        "V1LabelSelector",
        "V1LocalObjectReference",
        "V1NodeSelector",
        "V1NodeSelectorTerm",
        "V1ObjectFieldSelector",
        "V1ObjectReference",
        "V1ResourceFieldSelector",
        "V1RoleRef",
        "V1SecretKeySelector",
        "V1SecretReference",
        "V1TypedLocalObjectReference",
    }
)
ATOMIC_FIELDS = frozenset({("V1ServiceSpec", "selector")})
QUANTITIES = frozenset(
    {
        ("V1ResourceRequirements", "limits"),
        ("V1ResourceRequirements", "requests"),
        ("V1VolumeResourceRequirements", "limits"),
        ("V1VolumeResourceRequirements", "requests"),
        ("V1PersistentVolumeSpec", "capacity"),
        ("V1PersistentVolumeClaimStatus", "capacity"),
        ("V1PodSpec", "overhead"),
        ("V1EmptyDirVolumeSource", "sizeLimit"),
        ("V1ResourceFieldSelector", "divisor"),
    }
)
BYTES = frozenset({("V1Secret", "data"), ("V1ConfigMap", "binaryData")})
INT_OR_STRING = frozenset({"IntOrString", "object"})


@dataclass(frozen=True)
class Scalar:
    """One value: `str`, `int`, `float`, `bool`, `bytes` (base64 text), `quantity` (text or number) or `any`."""

    type: str


@dataclass(frozen=True)
class MapOf:
    """A mapping with free keys."""

    value: Node
    atomic: bool = False


@dataclass(frozen=True)
class ListOf:
    """A list: merged by `keys`, a set of scalars, or (neither) replaced as a whole."""

    item: Node
    keys: tuple[str, ...] = ()
    is_set: bool = False


@dataclass(frozen=True)
class Struct:
    """A mapping with known fields, resolved when first looked at, because models refer to each other."""

    model: str

    @property
    def atomic(self) -> bool:
        return self.model in ATOMIC_MODELS

    @cached_property
    def fields(self) -> Mapping[str, Node]:
        """The field names of the API and what stands in them."""
        from kubernetes.client import models  # noqa: PLC0415 - 0.3 s, paid by the first write, not by start-up

        model = getattr(models, self.model)
        types: Mapping[str, str] = model.openapi_types
        return {field: _field_node(self.model, field, types[name]) for name, field in model.attribute_map.items()}


Node: TypeAlias = "Scalar | MapOf | ListOf | Struct"

ANY = Scalar("any")


@cache
def struct(model: str) -> Struct:
    """The one Struct of a model, so that its fields are resolved once."""
    return Struct(model)


def schema_of(kind: Kind) -> Struct:
    """The shape of a whole object of this kind."""
    return struct(kind.model)


def load(kinds: tuple[Kind, ...]) -> None:
    """Resolves the top of each kind's schema, so that the first request need not wait for it."""
    for kind in kinds:
        _ = schema_of(kind).fields


def _field_node(model: str, field: str, type_name: str) -> Node:
    place = (model, field)
    if place in QUANTITIES:
        return MapOf(Scalar("quantity")) if type_name.startswith("Dict") else Scalar("quantity")
    if place in BYTES:
        return MapOf(Scalar("bytes"))
    if listed := re.fullmatch(r"[Ll]ist\[(.+)\]", type_name):
        return ListOf(_node(listed[1]), keys=MERGE_KEYS.get(place, ()), is_set=place in SETS)
    node = _node(type_name)
    return MapOf(node.value, atomic=True) if place in ATOMIC_FIELDS and isinstance(node, MapOf) else node


def _node(type_name: str) -> Node:
    if listed := re.fullmatch(r"[Ll]ist\[(.+)\]", type_name):
        return ListOf(_node(listed[1]))
    if mapped := re.fullmatch(r"[Dd]ict\(?\[?str, (.+?)\)?\]?", type_name):
        return MapOf(_node(mapped[1]))
    if type_name in INT_OR_STRING:
        return ANY
    if type_name == "datetime":
        return Scalar("str")
    return struct(type_name) if type_name[0].isupper() else Scalar(type_name)
