"""The life of a cluster object, as all modules for them share it: bulk observation, decision, adoption, removal.

What is there is read in bulk. Whether it is as declared is the server's own word: as long as neither the manifest nor
what the server made of it has changed, nothing is asked; else it is asked what applying would change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, differences
from ppmlctl.kubernetes.filled import filled_in
from ppmlctl.kubernetes.holders import goes_by_itself, is_released
from ppmlctl.kubernetes.labels import environment_of
from ppmlctl.kubernetes.objects import ObjectKey, key_of
from ppmlctl.kubernetes.ownership import first_writer
from ppmlctl.kubernetes.stored import not_noted, noted
from ppmlctl.modules._kubernetes import (
    EXISTED_BEFORE,
    identity_of_key,
    is_same_object,
    labelled,
    made_by,
    manager_of,
    recorded_key,
    require_free,
)
from ppmlctl.modules._object_answers import NOTHING_CHANGES, Answer, asked, is_known
from ppmlctl.modules._object_company import held_in, takes_away
from ppmlctl.modules._object_holders import held_by_others
from ppmlctl.modules._object_writes import applied, delete_object
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Wanted
from ppmlctl.planning.diff import input_changes, why_absent
from ppmlctl.unknown import unknowns_in

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest

_AT_ONCE = 8
_STEERING = frozenset({"force_conflicts", "wait"})
"""Arguments that say how something is applied, not what."""


@dataclass(frozen=True)
class Seen:
    """One wanted object beside the live one: what a decision needs."""

    environment: str
    """The environment that wants it."""
    desired: Manifest
    live: Manifest
    was_ours: bool
    """Whether ppmlctl made it, rather than found it."""
    answer: Answer = NOTHING_CHANGES
    """What the server says of applying it; that nothing would change, where it need not be asked."""


@dataclass(frozen=True)
class Applied:
    """What came of an apply. `stored_otherwise` is for the record; see `kubernetes.stored`."""

    live: Manifest
    existed_before: bool
    stored_otherwise: Mapping[str, str]


def _anything_may_change(_desired: Manifest, _live: Manifest) -> str:
    return ""


def observe_objects(
    ctx: Context,
    wanted: Sequence[Wanted],
    manifest_of: Callable[[Any], Manifest],
    unchangeable: Callable[[Manifest, Manifest], str] = _anything_may_change,
) -> dict[str, Observed]:
    """What is there of the wanted manifests, by address: one call for each kind and namespace, and a question for each
    object that may have to change.

    Objects that are being deleted count as gone. `detail` is a Seen. `unchangeable` says of a desired and a live object
    what the server would let change, but to no good; empty: nothing. Raises EngineError (k8s-invalid) with the server's
    words where it would refuse an object whatever was there before.
    """
    manifests = {one.address: manifest_of(one.args) for one in wanted}
    keys = {address: key for address, manifest in manifests.items() if (key := _known_key(manifest))}
    live = _live(ctx, set(keys.values()))
    found = {
        address: Observed(exists=False, held=held)
        for address, key in keys.items()
        if (held := _held_by_former(ctx, ctx.recorded.get(address), key))
    }
    open_ones: dict[str, bool] = {}
    for one in wanted:
        key = keys.get(one.address)
        if key is None or (there := live.get(key)) is None or "deletionTimestamp" in there["metadata"]:
            continue
        seen = _seen(ctx, one.address, manifests[one.address], there)
        held = found[one.address].held if one.address in found else ""
        found[one.address] = Observed(detail=seen, version=_version_of(there), findings=_held(ctx, seen), held=held)
        if any(unknowns_in(seen.desired)) or environment_of(there) not in ("", ctx.environment):
            continue
        if refused := unchangeable(seen.desired, there):
            seen = replace(seen, answer=Answer(refused=refused))
            found[one.address] = _with_answer(ctx, one.address, found[one.address], seen)
            continue
        recorded = ctx.recorded.get(one.address)
        changed = recorded is None or _is_changed(one, recorded)
        if changed or (recorded and _has_drifted(ctx, seen, recorded)):
            open_ones[one.address] = changed
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask") as pool:
        answered = pool.map(lambda one: _answered(ctx, found[one[0]].detail, changed=one[1]), open_ones.items())
        for address, seen in zip(open_ones, answered, strict=True):
            found[address] = replace(_with_answer(ctx, address, found[address], seen), version=_version_of(seen.live))
            if seen.answer.filled:
                found[address] = replace(found[address], findings=_held(ctx, seen))
    return found


def decide_object(wanted: Wanted, manifest: Manifest, observed: Observed, recorded: Recorded | None) -> Change:
    """create, adopt, replace, update or keep, by what the server says.

    Raises EngineError: k8s-other-environment, k8s-not-ours where an object that was there before would have to be
    replaced, and k8s-holds-data where one would that holds data or other objects.
    """
    name = key_of(manifest)
    if recorded is not None and not is_same_object(recorded_key(recorded), name):
        _require_expendable(recorded_key(recorded), observed.held, f"{name} would take its place", wanted.address)
        before = f"{recorded.result.get('namespace') or ''}/{recorded.result.get('name')}".lstrip("/")
        change = FieldChange("name", before, f"{name.namespace}/{name.name}".lstrip("/"))
        return Change(ActionKind.REPLACE, ("another object takes its place",), (change,))
    if not observed.exists or observed.detail is None:
        if (
            recorded is not None
            and observed.looked_at
            and goes_by_itself(manifest)
            and not _is_changed(wanted, recorded)
        ):
            return Change(ActionKind.KEEP, ("it ran, and has gone by itself since (ttlSecondsAfterFinished)",))
        return Change(ActionKind.CREATE, (why_absent(observed, recorded),), (FieldChange("object", None, str(name)),))
    seen: Seen = observed.detail
    require_free(name, environment_of(seen.live), seen.environment)
    fields = tuple(_shown(difference) for difference in seen.answer.changes)
    if is_released(seen.live) and seen.was_ours:
        return Change(ActionKind.REPLACE, ("its claim is gone; its data stays",), fields)
    if seen.answer.refused:
        _require_replaceable(name, seen, observed.held, wanted.address)
        return Change(ActionKind.REPLACE, (f"cannot be changed in place: {seen.answer.refused}",), fields)
    if recorded is None:
        return Change(ActionKind.CREATE, ("adopts what is there already",), fields)
    if seen.answer.unforeseen:
        return Change(ActionKind.UPDATE, (f"cannot be foreseen: {seen.answer.unforeseen}",), fields)
    if fields:
        return Change(ActionKind.UPDATE, ("not as declared",), fields)
    return Change(ActionKind.KEEP, ("as declared",))


def identity_of(manifest: Manifest) -> str | None:
    """What tells the object from all others of its module; None where a plan does not know it."""
    key = _known_key(manifest)
    return None if key is None else identity_of_key(key)


def apply_object(ctx: Context, manifest: Manifest, observed: Observed, *, force: bool = False) -> Applied:
    """Makes the object so. Replaces what cannot be changed, and what is to be replaced (`--replace`)."""
    manifest = ctx.engines.kubernetes.placed(manifest)
    key, recorded = key_of(manifest), ctx.recorded.get(ctx.address)
    if recorded is not None and not is_same_object(recorded_key(recorded), key):
        held = "" if ctx.replacing else _held_by_former(ctx, recorded, key)
        _require_expendable(recorded_key(recorded), held, f"{key} would take its place", ctx.address)
        remove_object(ctx, recorded)
    seen: Seen | None = observed.detail
    if seen is not None and _must_go(ctx, key, seen):
        ctx.tell(f"replaces {key}")
        delete_object(ctx, key, seen.live)
        seen = None
    existed_before = seen is not None and not seen.was_ours
    sent = labelled(ctx, ctx.address, manifest, existed_before=existed_before)
    given = filled_in(sent, seen.live) if seen and seen.answer.filled else sent
    live = applied(ctx, key, given, seen.live if seen else None, force=force)
    if seen is None and not made_by(ctx.environment, first_writer(live)):
        # Somebody else made it since the plan was made.
        existed_before = True
        sent = labelled(ctx, ctx.address, manifest, existed_before=True)
        live = applied(ctx, key, sent, live, force=force)
    otherwise = noted(differences(sent, live, manager_of(ctx.environment)), ctx.digest)
    return Applied(live, existed_before, otherwise)


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
        delete_object(ctx, key, live)


def _must_go(ctx: Context, key: ObjectKey, seen: Seen) -> bool:
    """Whether the live object has to be deleted before the declared one can be made."""
    if ctx.replacing or (is_released(seen.live) and seen.was_ours):
        return True
    if seen.answer.refused:
        _require_replaceable(key, seen, held_in(ctx, key, seen.live, ctx.recorded.get(ctx.address)), ctx.address)
    return bool(seen.answer.refused)


def _held_by_former(ctx: Context, recorded: Recorded | None, key: ObjectKey) -> str:
    """What goes with the recorded object where one named otherwise takes its place, and no plan takes unasked."""
    if recorded is None or is_same_object(recorded_key(recorded), key):
        return ""
    former = ctx.engines.kubernetes.as_served(recorded_key(recorded))
    live = ctx.engines.kubernetes.get(former) if former else None
    if former is None or live is None or not takes_away(ctx, recorded, live):
        return ""
    return held_in(ctx, former, live, recorded)


def _with_answer(ctx: Context, address: str, observed: Observed, seen: Seen) -> Observed:
    """The observation with what the server said; where that is a refusal, with what a replacement would take along."""
    if not seen.answer.refused or observed.held:
        return replace(observed, detail=seen)
    return replace(observed, detail=seen, held=held_in(ctx, key_of(seen.live), seen.live, ctx.recorded.get(address)))


def _known_key(manifest: Manifest) -> ObjectKey | None:
    """The key, where a plan knows all of it."""
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
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="list") as pool:
        return {
            key: one for found in pool.map(lambda keys: _of_one_kind(ctx, keys), places.values()) for key, one in found
        }


def _of_one_kind(ctx: Context, keys: Sequence[ObjectKey]) -> list[tuple[ObjectKey, Manifest]]:
    from ppmlctl.clients.kubernetes import UnknownKindError  # noqa: PLC0415 - 0.3 s that --version does not pay

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


def _held(ctx: Context, seen: Seen) -> tuple[str, ...]:
    """What applying would take from other managers."""
    sent = filled_in(seen.desired, seen.live) if seen.answer.filled else seen.desired
    return tuple(held_by_others(key_of(seen.live), sent, seen.live, ctx.environment, force=ctx.force_conflicts))


def _version_of(live: Manifest) -> str:
    """What the server calls this state of the object; where it counts, a change of status alone makes no other."""
    metadata = live["metadata"]
    return f"{metadata.get('uid')} {metadata.get('generation') or metadata.get('resourceVersion')}"


def _has_drifted(ctx: Context, seen: Seen, recorded: Recorded) -> bool:
    """Whether the live object may be another than what the server made of the same manifest before."""
    found = [one for one in differences(seen.desired, seen.live, manager_of(ctx.environment)) if is_known(one)]
    return bool(not_noted(found, recorded.stored_otherwise, ctx.digest))


def _is_changed(wanted: Wanted, recorded: Recorded) -> bool:
    """Whether something else is declared than was applied; a secret in a locked vault is taken for the same."""
    changed = input_changes(recorded.inputs, wanted.inputs)
    return any(change.path.partition(".")[0] not in _STEERING for change in changed)


def _answered(ctx: Context, seen: Seen, *, changed: bool) -> Seen:
    live, answer = asked(ctx, seen.desired, seen.live, changed=changed)
    return replace(seen, live=live, answer=answer)


def _shown(difference: FieldDifference) -> FieldChange:
    live, desired = (None if side is ABSENT else side for side in (difference.live, difference.desired))
    return FieldChange(difference.path, live, desired)


def _require_replaceable(key: ObjectKey, seen: Seen, held: str, address: str) -> None:
    if not seen.was_ours:
        raise _not_ours(key, seen.answer.refused)
    _require_expendable(key, held, seen.answer.refused, address)


def _require_expendable(key: ObjectKey, held: str, because: str, address: str) -> None:
    """Refuses to take away what holds data or other objects, unless somebody names it."""
    if held:
        raise EngineError(
            Diagnostic(
                "k8s-holds-data",
                "an object that holds data or others is not replaced by itself",
                found=f"{key}: {because}",
                why=f"with it goes {held}",
                fix="declare it as it is, or give the new one a task of its own. Where all of that may go, name it:\n"
                f"ppmlctl plan --replace {address}",
            )
        )


def _not_ours(key: ObjectKey, refused: str) -> EngineError:
    return EngineError(
        Diagnostic(
            "k8s-not-ours",
            "an object that was there before cannot become as declared",
            found=f"{key}: {refused}",
            why="ppmlctl replaces only what it made",
            fix="delete the object yourself, or declare it as it is",
        )
    )
