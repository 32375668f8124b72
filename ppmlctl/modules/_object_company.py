"""Where objects live, and what lives in or by others: by the cluster's own discovery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.holders import HOLD_DATA, held_by, may_own_claims
from ppmlctl.kubernetes.labels import environment_of
from ppmlctl.kubernetes.objects import ObjectKey
from ppmlctl.modules._kubernetes import recorded_key
from ppmlctl.modules.context import Context, Engines
from ppmlctl.planning import Company, Recorded

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


def company_of(ctx: Context, recorded: Recorded) -> Company:
    """What goes where the recorded object does: by the server, which alone knows what is in it by now."""
    client = ctx.engines.kubernetes
    key = client.as_served(recorded_key(recorded))
    live = client.get(key) if key else None
    if key is None or live is None or not takes_away(ctx, recorded, live):
        return Company()
    along = tuple(_along(ctx, key, live))
    return Company(along, held_in(ctx, key, live, recorded))


def held_in(ctx: Context, key: ObjectKey, live: Manifest, recorded: Recorded | None) -> str:
    """What no plan takes away with this object unasked, in words; empty: nothing. `recorded`: what is known of it."""
    declared = (recorded.inputs.get("data") if recorded else None) or {}
    return held_by(live, declared, (one["metadata"]["name"] for one in _owned_claims(ctx, key, live)))


def takes_away(ctx: Context, recorded: Recorded, live: Manifest) -> bool:
    """Whether a removal by this record takes the object away: not what was there before, or changed hands."""
    return not recorded.result.get("existed_before") and environment_of(live) == ctx.environment


def _along(ctx: Context, key: ObjectKey, live: Manifest) -> Iterator[str]:
    match key.kind:
        case "Namespace":
            yield from _in_namespace(ctx, key.name)
        case "CustomResourceDefinition":
            yield from _of_definition(ctx, live)
        case "PersistentVolumeClaim":
            if volume := (live.get("spec") or {}).get("volumeName"):
                yield f"the data on volume {volume}, unless the volume's reclaim policy retains it"
        case "Secret":
            pass
        case _:
            yield from _told(_owned_claims(ctx, key, live))


def _in_namespace(ctx: Context, namespace: str) -> Iterator[str]:
    client = ctx.engines.kubernetes
    resources = [one for one in client.resources() if one.namespaced and one.kind not in _CAME_BY_ITSELF]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="list") as pool:
        found = list(pool.map(lambda one: _listed(ctx, one, namespace), resources))
    yield from _told(item for items in found for item in items or ())
    unseen = sorted(one.kind for one, items in zip(resources, found, strict=True) if items is None)
    if unseen:
        yield f"what could not be looked at: {', '.join(unseen)}"


def _of_definition(ctx: Context, definition: Manifest) -> Iterator[str]:
    from ppmlctl.clients.kubernetes import Resource  # noqa: PLC0415 - 0.3 s that not every command pays

    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    versions = [one["name"] for one in spec.get("versions") or () if one.get("served")]
    if not versions:
        return
    resource = Resource(f"{spec['group']}/{versions[0]}", names["kind"], names["plural"], namespaced=False)
    found = _listed(ctx, resource, None)
    yield from _told(found or ()) if found is not None else (f"all {names['kind']}, which could not be looked at",)


def _owned_claims(ctx: Context, key: ObjectKey, live: Manifest) -> list[Manifest]:
    """The claims that the cluster takes away with their owner."""
    from ppmlctl.clients.kubernetes import Resource  # noqa: PLC0415 - as above

    if not key.namespace or not may_own_claims(key.api_version):
        return []
    uid = live["metadata"]["uid"]
    claims = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
    return [one for one in _listed(ctx, claims, key.namespace) or () if uid in _owners(one)]


def _owners(live: Manifest) -> set[str]:
    return {one["uid"] for one in live["metadata"].get("ownerReferences") or ()}


def _listed(ctx: Context, resource: Resource, namespace: str | None) -> list[Manifest] | None:
    """None where they may not be seen, or their server does not answer."""
    try:
        return ctx.engines.kubernetes.list_objects(resource.api_version, resource.kind, namespace)
    except EngineError:
        return None


def _told(objects: Iterable[Manifest]) -> Iterator[str]:
    """By kind, with numbers and names; those of what holds data are told one and all."""
    names: dict[str, list[str]] = {}
    for one in objects:
        names.setdefault(one["kind"], []).append(one["metadata"]["name"])
    for kind, found in sorted(names.items()):
        shown = found if kind in HOLD_DATA else found[:_NAMES]
        more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
        yield f"{len(found)} {kind}: {', '.join(shown)}{more}"
