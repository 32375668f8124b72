"""Where objects live, and what lives in or by others: by the cluster's own discovery."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.objects import ObjectKey
from ppmlctl.modules.context import Context, Engines

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, Resource

_AT_ONCE = 8
_NAMES = 5
_CAME_BY_ITSELF = frozenset({"Event", "Lease", "EndpointSlice", "Endpoints"})
"""Kinds that the cluster, or this program, keeps in a namespace for itself."""


def placed_manifest(engines: Engines, manifest: Manifest) -> Manifest:
    """Without a namespace where the kind lives in none; as it is where the kind is not served yet."""
    from ppmlctl.clients.kubernetes import UnknownKindError  # noqa: PLC0415 - 0.3 s that not every command pays

    try:
        return engines.kubernetes.placed(manifest)
    except UnknownKindError:
        return manifest


def company_of(ctx: Context, key: ObjectKey) -> list[str]:
    """What goes with an object, by kind with numbers and names."""
    match key.kind:
        case "Namespace":
            return _told(_in_namespace(ctx, key.name))
        case "CustomResourceDefinition":
            return _told(_of_definition(ctx, key))
        case "PersistentVolumeClaim":
            return _of_claim(ctx, key)
    return []


def _in_namespace(ctx: Context, namespace: str) -> list[Manifest]:
    client = ctx.engines.kubernetes
    resources = [one for one in client.resources() if one.namespaced and one.kind not in _CAME_BY_ITSELF]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="list") as pool:
        found = pool.map(lambda one: _listed(ctx, one, namespace), resources)
        return [item for items in found for item in items]


def _of_definition(ctx: Context, key: ObjectKey) -> list[Manifest]:
    definition = ctx.engines.kubernetes.get(key)
    spec = (definition or {}).get("spec") or {}
    versions = [one["name"] for one in spec.get("versions") or () if one.get("served")]
    if not versions:
        return []
    return ctx.engines.kubernetes.list_objects(f"{spec['group']}/{versions[0]}", spec["names"]["kind"])


def _of_claim(ctx: Context, key: ObjectKey) -> list[str]:
    claim = ctx.engines.kubernetes.get(key)
    volume = ((claim or {}).get("spec") or {}).get("volumeName")
    return [f"the data on volume {volume}, unless the volume's reclaim policy retains it"] if volume else []


def _listed(ctx: Context, resource: Resource, namespace: str) -> list[Manifest]:
    try:
        return ctx.engines.kubernetes.list_objects(resource.api_version, resource.kind, namespace)
    except EngineError:
        return []  # what may not be seen is not told


def _told(objects: list[Manifest]) -> list[str]:
    counts = Counter(one["kind"] for one in objects)
    return [f"{count} {kind}: {_names(objects, kind)}" for kind, count in sorted(counts.items())]


def _names(objects: list[Manifest], kind: str) -> str:
    names = [one["metadata"]["name"] for one in objects if one["kind"] == kind]
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
