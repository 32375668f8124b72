"""The life of a cluster object, as all modules for them share it: bulk observation, decision, adoption, removal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, differences
from ppmlctl.kubernetes.immutability import is_released, unchangeable
from ppmlctl.kubernetes.ownership import fields_held, first_writer
from ppmlctl.modules._kubernetes import (
    EXISTED_BEFORE,
    environment_of,
    identity_of_key,
    labelled,
    made_by,
    manager_of,
    recorded_key,
    require_free,
)
from ppmlctl.modules._object_holders import held_by_others
from ppmlctl.modules._object_writes import applied, delete_object
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded
from ppmlctl.planning.diff import why_absent
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, ObjectKey

_LISTS_AT_ONCE = 8


@dataclass(frozen=True)
class Seen:
    """One wanted object beside the live one: what a decision needs."""

    environment: str
    """The environment that wants it."""
    desired: Manifest
    live: Manifest
    was_ours: bool
    """Whether ppmlctl made it, rather than found it."""

    @property
    def differences(self) -> list[FieldDifference]:
        """Where the live object is not as declared. A secret in a locked vault counts only where its key is missing."""
        found = differences(self.desired, self.live, fields_held(self.live, manager_of(self.environment)))
        return [one for one in found if not (isinstance(one.desired, Unknown) and one.live is not ABSENT)]


def observe_objects(ctx: Context, wanted: Mapping[str, Manifest]) -> dict[str, Observed]:
    """What is there of the wanted manifests, by address: one call for each kind and namespace.

    Objects that are being deleted count as gone. `detail` is a Seen.
    """
    keys = {address: key for address, manifest in wanted.items() if (key := _known_key(manifest))}
    live = _live(ctx, set(keys.values()))
    found = {}
    for address, key in keys.items():
        if (manifest := live.get(key)) and "deletionTimestamp" not in manifest["metadata"]:
            seen = _seen(ctx, address, wanted[address], manifest)
            others = tuple(held_by_others(key, seen.desired, manifest, ctx.environment, force=ctx.force_conflicts))
            found[address] = Observed(detail=seen, version=_version_of(manifest), findings=others)
    return found


def decide_object(manifest: Manifest, observed: Observed, recorded: Recorded | None) -> Change:
    """create, adopt, replace, update or keep, by what is live.

    Raises EngineError: k8s-other-environment, and k8s-not-ours where an object that was there before would have to be
    replaced.
    """
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - 0.3 s that --version does not pay

    name = key_of(manifest)
    if recorded is not None and not _is_of(recorded, name):
        before = f"{recorded.result.get('namespace') or ''}/{recorded.result.get('name')}".lstrip("/")
        change = FieldChange("name", before, f"{name.namespace}/{name.name}".lstrip("/"))
        return Change(ActionKind.REPLACE, ("another object takes its place",), (change,))
    if not observed.exists or observed.detail is None:
        return Change(ActionKind.CREATE, (why_absent(observed, recorded),), (FieldChange("object", None, str(name)),))
    require_free(name, environment_of(observed.detail.live), observed.detail.environment)
    found = observed.detail.differences
    fields = tuple(_shown(difference) for difference in found)
    forcing = unchangeable(observed.detail.live, found)
    if is_released(observed.detail.live) and observed.detail.was_ours:
        return Change(ActionKind.REPLACE, ("its claim is gone; its data stays",), fields)
    if forcing:
        if not observed.detail.was_ours:
            raise _not_ours(name, forcing)
        return Change(ActionKind.REPLACE, tuple(f"{one.path} cannot be changed in place" for one in forcing), fields)
    if recorded is None:
        return Change(ActionKind.CREATE, ("adopts what is there already",), fields)
    if fields:
        return Change(ActionKind.UPDATE, ("not as declared",), fields)
    return Change(ActionKind.KEEP, ("as declared",))


def identity_of(manifest: Manifest) -> str | None:
    """What tells the object from all others of its module; None where a plan does not know it."""
    key = _known_key(manifest)
    return None if key is None else identity_of_key(key)


def apply_object(ctx: Context, manifest: Manifest, observed: Observed, *, force: bool = False) -> tuple[Manifest, bool]:
    """Makes the object so; returns it, and whether it existed before ppmlctl. Replaces what cannot be changed."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

    key, recorded = key_of(manifest), ctx.recorded.get(ctx.address)
    if recorded is not None and not _is_of(recorded, key):
        remove_object(ctx, recorded)
    seen: Seen | None = observed.detail
    if seen is not None and (unchangeable(seen.live, seen.differences) or (is_released(seen.live) and seen.was_ours)):
        ctx.tell(f"replaces {key}")
        delete_object(ctx, key, seen.live["metadata"]["uid"])
        seen = None
    existed_before = seen is not None and not seen.was_ours
    live = applied(ctx, key, labelled(ctx, ctx.address, manifest, existed_before=existed_before), force=force)
    if seen is None and not made_by(ctx.environment, first_writer(live)):
        # Somebody else made it since the plan was made.
        existed_before = True
        live = applied(ctx, key, labelled(ctx, ctx.address, manifest, existed_before=True), force=force)
    return live, existed_before


def remove_object(ctx: Context, recorded: Recorded) -> None:
    """Deletes what the record says was made, and waits until it is gone. What was there before, or is another
    environment's by now, is kept and told.
    """
    key = ctx.engines.kubernetes.as_served(recorded_key(recorded))
    live = ctx.engines.kubernetes.get(key) if key else None
    if key is None or live is None:
        return
    if recorded.result.get("existed_before"):
        ctx.warn(f"{key} was there before; kept")
    elif environment_of(live) != ctx.environment:
        ctx.warn(f"{key} does not carry this environment's label any more; kept")
    else:
        delete_object(ctx, key, live["metadata"]["uid"])


def _known_key(manifest: Manifest) -> ObjectKey | None:
    """The key, where a plan knows all of it."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

    try:
        key = key_of(manifest)
    except (KeyError, TypeError, AttributeError):
        return None
    parts = (key.api_version, key.kind, key.namespace, key.name)
    return key if all(isinstance(part, str) for part in parts) else None


def _live(ctx: Context, keys: Iterable[ObjectKey]) -> dict[ObjectKey, Manifest]:
    """What is there of these objects. One alone of its kind is read by its name, which needs the least permission."""
    places: dict[tuple[str, str, str], list[ObjectKey]] = {}
    for key in sorted(keys):
        places.setdefault((key.api_version, key.kind, key.namespace), []).append(key)
    with ThreadPoolExecutor(_LISTS_AT_ONCE, thread_name_prefix="list") as pool:
        return {
            key: one for found in pool.map(lambda keys: _of_one_kind(ctx, keys), places.values()) for key, one in found
        }


def _of_one_kind(ctx: Context, keys: Sequence[ObjectKey]) -> list[tuple[ObjectKey, Manifest]]:
    from ppmlctl.clients.kubernetes import UnknownKindError, key_of  # noqa: PLC0415 - as above

    client, place = ctx.engines.kubernetes, keys[0]
    try:
        if len(keys) == 1:
            alone = client.get(place)
            return [(place, alone)] if alone is not None else []
        return [
            (key_of(one), one) for one in client.list_objects(place.api_version, place.kind, place.namespace or None)
        ]
    except UnknownKindError:
        return []  # a task before this one may install the kind; apply says so if none did


def _seen(ctx: Context, address: str, manifest: Manifest, live: Manifest) -> Seen:
    recorded = ctx.recorded.get(address)
    found_before = bool(recorded and recorded.result.get("existed_before"))  # its owner may have wiped the mark
    marked = found_before or EXISTED_BEFORE in (live["metadata"].get("annotations") or {})
    was_ours = (environment_of(live) == ctx.environment or recorded is not None) and not marked
    return Seen(ctx.environment, labelled(ctx, address, manifest, existed_before=not was_ours), live, was_ours)


def _version_of(live: Manifest) -> str:
    """What the server calls this state of the object; where it counts, a change of status alone makes no other."""
    metadata = live["metadata"]
    return f"{metadata.get('uid')} {metadata.get('generation') or metadata.get('resourceVersion')}"


def _is_of(recorded: Recorded, key: ObjectKey) -> bool:
    return recorded_key(recorded) == key


def _shown(difference: FieldDifference) -> FieldChange:
    live, desired = (None if side is ABSENT else side for side in (difference.live, difference.desired))
    return FieldChange(difference.path, live, desired)


def _not_ours(key: ObjectKey, forcing: Sequence[FieldDifference]) -> EngineError:
    return EngineError(
        Diagnostic(
            "k8s-not-ours",
            "an object that was there before cannot become as declared",
            found=f"{key}: {', '.join(one.path for one in forcing)} cannot be changed in place",
            why="ppmlctl replaces only what it made",
            fix="delete the object yourself, or declare it as it is",
        )
    )
