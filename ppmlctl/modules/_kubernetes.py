"""What the modules for cluster objects share: labels, bulk observation, the decision, adoption and removal.

Every object carries the environment and the task in labels. One that was there before ppmlctl is adopted, marked so by
an annotation (the mark must not get lost with a crash before the record), and kept at removal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded
from ppmlctl.planning.manifest_diff import ABSENT, FieldDifference, differences
from ppmlctl.planning.manifest_immutability import unchangeable
from ppmlctl.planning.manifest_ownership import fields_held
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, ObjectKey, Propagation

ENVIRONMENT = "ppmlctl/environment"
TASK = "ppmlctl/task"
EXISTED_BEFORE = "ppmlctl/existed-before"
MANAGER = "ppmlctl"

REMOVAL_SECONDS = 300.0
"""How long a removal waits until the object is gone; a namespace takes its content along."""
_OWNERS = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
"""Kinds whose pods must be gone too before the removal is done."""
_LABEL_LENGTH = 63


@dataclass(frozen=True)
class Seen:
    """One wanted object beside the live one: what a decision needs."""

    desired: Manifest
    live: Manifest
    was_ours: bool
    """Whether ppmlctl made it, rather than found it."""

    @property
    def differences(self) -> list[FieldDifference]:
        """Where the live object is not as declared. A secret in a locked vault counts only where its key is missing."""
        found = differences(self.desired, self.live, fields_held(self.live, MANAGER))
        return [one for one in found if not (isinstance(one.desired, Unknown) and one.live is not ABSENT)]


def label_value(text: str) -> str:
    """The text as a label's value: letters, digits, `-_.`, at most 63 characters."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:_LABEL_LENGTH].strip("-_.")


def labelled(ctx: Context, address: str, manifest: Manifest, *, existed_before: bool = False) -> Manifest:
    """The manifest with the labels by which ppmlctl finds its objects again."""
    metadata = dict(manifest.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), ENVIRONMENT: ctx.environment, TASK: label_value(address)}
    if existed_before:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), EXISTED_BEFORE: "true"}
    return {**manifest, "metadata": metadata}


def observe_objects(ctx: Context, wanted: Mapping[str, Manifest]) -> dict[str, Observed]:
    """What is there of the wanted manifests, by address: one list call for each kind and namespace.

    Objects that are being deleted count as gone. `detail` is a Seen.
    """
    keys = {address: key for address, manifest in wanted.items() if (key := _known_key(manifest))}
    live = _listed(ctx, sorted({(key.api_version, key.kind, key.namespace) for key in keys.values()}))
    found = {}
    for address, key in keys.items():
        if (manifest := live.get(key)) and "deletionTimestamp" not in manifest["metadata"]:
            found[address] = Observed(detail=_seen(ctx, address, wanted[address], manifest))
    return found


def decide_object(manifest: Manifest, observed: Observed, recorded: Recorded | None) -> Change:
    """create, adopt, replace, update or keep, by what is live.

    Raises EngineError (k8s-not-ours) where an object that was there before would have to be replaced.
    """
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - 0.3 s that --version does not pay

    name = key_of(manifest)
    if recorded is not None and not _is_of(recorded, name):
        before = f"{recorded.result.get('namespace') or ''}/{recorded.result.get('name')}".lstrip("/")
        change = FieldChange("name", before, f"{name.namespace}/{name.name}".lstrip("/"))
        return Change(ActionKind.REPLACE, ("another object takes its place",), (change,))
    if not observed.exists or observed.detail is None:
        reason = "not there yet" if recorded is None else "was made before, is not there any more"
        return Change(ActionKind.CREATE, (reason,), (FieldChange("object", None, str(name)),))
    found = observed.detail.differences
    fields = tuple(_shown(difference) for difference in found)
    forcing = unchangeable(observed.detail.live, found)
    if forcing:
        if not observed.detail.was_ours:
            raise _not_ours(name, forcing)
        return Change(ActionKind.REPLACE, tuple(f"{one.path} cannot be changed in place" for one in forcing), fields)
    if recorded is None:
        return Change(ActionKind.CREATE, ("adopts what is there already",), fields)
    if fields:
        return Change(ActionKind.UPDATE, ("not as declared",), fields)
    return Change(ActionKind.KEEP, ("as declared",))


def apply_object(ctx: Context, manifest: Manifest, observed: Observed, *, force: bool = False) -> tuple[Manifest, bool]:
    """Makes the object so; returns it, and whether it existed before ppmlctl. Replaces what cannot be changed."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

    key, recorded = key_of(manifest), ctx.recorded.get(ctx.address)
    if recorded is not None and not _is_of(recorded, key):
        remove_object(ctx, recorded)
    seen: Seen | None = observed.detail
    existed_before = seen is not None and not seen.was_ours
    if seen is None:
        _await_end(ctx, key)
    elif unchangeable(seen.live, seen.differences):
        ctx.tell(f"replaces {key}")
        _delete(ctx, key, seen.live["metadata"]["uid"])
    wanted = labelled(ctx, ctx.address, manifest, existed_before=existed_before)
    return ctx.engines.kubernetes.apply(wanted, force=force or ctx.force_conflicts), existed_before


def remove_object(ctx: Context, recorded: Recorded) -> None:
    """Deletes what the record says was made, and waits until it is gone. What was there before, or is another
    environment's by now, is kept and told.
    """
    key = recorded_key(recorded)
    live = ctx.engines.kubernetes.get(key)
    if live is None:
        return
    if recorded.result.get("existed_before"):
        ctx.warn(f"{key} was there before; kept")
    elif not _carries_label(ctx, live):
        ctx.warn(f"{key} does not carry this environment's label any more; kept")
    else:
        _delete(ctx, key, live["metadata"]["uid"])


def recorded_key(recorded: Recorded) -> ObjectKey:
    """The object that a record is about; Secrets where the record names no kind."""
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - as above

    result = recorded.result
    api_version, kind = str(result.get("api_version", "v1")), str(result.get("kind", "Secret"))
    return ObjectKey(api_version, kind, str(result.get("namespace") or ""), str(result["name"]))


def _known_key(manifest: Manifest) -> ObjectKey | None:
    """The key, where a plan knows all of it."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

    try:
        key = key_of(manifest)
    except (KeyError, TypeError, AttributeError):
        return None
    parts = (key.api_version, key.kind, key.namespace, key.name)
    return key if all(isinstance(part, str) for part in parts) else None


def _listed(ctx: Context, places: Iterable[tuple[str, str, str]]) -> dict[ObjectKey, Manifest]:
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

    found = {}
    for api_version, kind, namespace in places:
        for manifest in _list(ctx, api_version, kind, namespace):
            found[key_of(manifest)] = manifest
    return found


def _list(ctx: Context, api_version: str, kind: str, namespace: str) -> Sequence[Manifest]:
    try:
        return ctx.engines.kubernetes.list_objects(api_version, kind, namespace or None)
    except EngineError as error:
        if error.diagnostics[0].code == "k8s-unknown-kind":
            return ()  # a task before this one may install the kind; apply says so if none did
        raise


def _seen(ctx: Context, address: str, manifest: Manifest, live: Manifest) -> Seen:
    recorded = ctx.recorded.get(address)
    found_before = bool(recorded and recorded.result.get("existed_before"))  # its owner may have wiped the mark
    marked = found_before or EXISTED_BEFORE in (live["metadata"].get("annotations") or {})
    was_ours = (_carries_label(ctx, live) or recorded is not None) and not marked
    return Seen(labelled(ctx, address, manifest, existed_before=not was_ours), live, was_ours)


def _carries_label(ctx: Context, live: Manifest) -> bool:
    return (live["metadata"].get("labels") or {}).get(ENVIRONMENT) == ctx.environment


def _is_of(recorded: Recorded, key: ObjectKey) -> bool:
    return recorded_key(recorded) == key


def _shown(difference: FieldDifference) -> FieldChange:
    live, desired = (None if side is ABSENT else side for side in (difference.live, difference.desired))
    return FieldChange(difference.path, live, desired)


def _await_end(ctx: Context, key: ObjectKey) -> None:
    """Lets an object that is being deleted go, so that what is applied is a new one."""
    from ppmlctl.clients.kubernetes import Condition  # noqa: PLC0415 - as above

    live = ctx.engines.kubernetes.get(key)
    if live is None or "deletionTimestamp" not in live["metadata"]:
        return
    ctx.tell(f"waits until the former {key} is gone")
    gone = Condition("the former one is gone", lambda now: now is None or "deletionTimestamp" not in now["metadata"])
    ctx.engines.kubernetes.wait(key, gone, REMOVAL_SECONDS, stopping=ctx.stopping)


def _delete(ctx: Context, key: ObjectKey, uid: str) -> None:
    propagation: Propagation = "Foreground" if key.kind in _OWNERS else "Background"
    ctx.engines.kubernetes.delete(key, propagation=propagation, uid=uid, wait_seconds=REMOVAL_SECONDS)


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
