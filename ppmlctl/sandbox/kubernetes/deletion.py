"""Deleting: preconditions, and what becomes of dependents and of a namespace's contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ppmlctl.sandbox.kubernetes import identity, status
from ppmlctl.sandbox.kubernetes.kinds import KINDS, Json, Kind
from ppmlctl.sandbox.kubernetes.objects import Objects

ORPHAN = "Orphan"
POLICIES = ("Foreground", "Background", ORPHAN)
LASTING_NAMESPACES = frozenset({"default", "kube-system"})


@dataclass(frozen=True)
class DeleteOptions:
    """What a deletion asks for."""

    propagation: str = ""
    """`Orphan`, `Background`, `Foreground`, or empty for the kind's own way."""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


def delete(objects: Objects, kind: Kind, namespace: str, name: str, options: DeleteOptions) -> Json:
    """Deletes the object and answers as the API does. Raises ApiError: NotFound, Conflict, Forbidden."""
    live = objects.get(kind, namespace, name)
    _require(kind, live, options)
    if live["metadata"].get("finalizers"):
        return _held(objects, kind, live, options)
    if not options.dry_run:
        orphan = options.propagation == ORPHAN or (not options.propagation and kind.orphans_dependents)
        _remove(objects, kind, live, orphan=orphan)
    if not kind.returned_on_delete:
        return status.success(kind, name, live["metadata"]["uid"])
    return _ending(kind, live)


def _held(objects: Objects, kind: Kind, live: Json, options: DeleteOptions) -> Json:
    """Marks an object that finalizers hold; the update that takes the last one off ends it."""
    if options.dry_run or "deletionTimestamp" in live["metadata"]:
        return live
    marks = {"deletionTimestamp": identity.timestamp(), "deletionGracePeriodSeconds": 0}
    return objects.write(kind, live, {**live, "metadata": {**live["metadata"], **marks}})


def _require(kind: Kind, live: Json, options: DeleteOptions) -> None:
    metadata = live["metadata"]
    if options.uid and options.uid != metadata["uid"]:
        why = f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']})"
        raise status.conflict(kind, metadata["name"], f"{why}. The object might have been deleted and then recreated")
    if options.revision and options.revision != metadata["resourceVersion"]:
        found = metadata["resourceVersion"]
        why = f"the ResourceVersion in the precondition ({options.revision}) does not match"
        ending = f"the ResourceVersion in record ({found}). The object might have been modified"
        raise status.conflict(kind, metadata["name"], f"{why} {ending}")
    if kind.kind == "Namespace" and metadata["name"] in LASTING_NAMESPACES:
        raise status.forbidden(kind, metadata["name"], "this namespace may not be deleted")


def _ending(kind: Kind, live: Json) -> Json:
    ending = {**live, "metadata": {**live["metadata"], "deletionTimestamp": identity.timestamp()}}
    return (
        {**ending, "status": {**live.get("status", {}), "phase": "Terminating"}} if kind.kind == "Namespace" else ending
    )


def _remove(objects: Objects, kind: Kind, live: Json, *, orphan: bool) -> None:
    objects.erase(kind, live)
    if kind.kind == "Namespace":
        for below, member in list(_contents(objects, live["metadata"]["name"])):
            objects.erase(below, member)
        return
    for below, dependent in list(_dependents(objects, live["metadata"]["uid"])):
        _release(objects, below, dependent, live["metadata"]["uid"], orphan=orphan)


def _release(objects: Objects, kind: Kind, dependent: Json, uid: str, *, orphan: bool) -> None:
    """A dependent lives on without its owner when it was orphaned or has another one; an event never does."""
    metadata = dependent["metadata"]
    remaining = [reference for reference in metadata["ownerReferences"] if reference["uid"] != uid]
    if not remaining and (not orphan or kind.kind == "Event"):
        _remove(objects, kind, dependent, orphan=False)
        return
    rest = {key: value for key, value in metadata.items() if key != "ownerReferences"}
    references = {"ownerReferences": remaining} if remaining else {}
    objects.write(kind, dependent, {**dependent, "metadata": {**rest, **references}})


def _contents(objects: Objects, namespace: str) -> Iterator[tuple[Kind, Json]]:
    for kind in KINDS:
        if kind.namespaced:
            yield from ((kind, member) for member in objects.store.list(kind, namespace))


def _dependents(objects: Objects, uid: str) -> Iterator[tuple[Kind, Json]]:
    for kind in KINDS:
        yield from ((kind, dependent) for dependent in objects.store.owned_by(uid, kind))
