"""Calls the controllers for what changed, and once for everything at start-up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from ppmlctl.files import read_bytes
from ppmlctl.sandbox.kubernetes.controllers import deployments, jobs, namespaces, pods, stateful_sets, tokens, volumes
from ppmlctl.sandbox.kubernetes.hub import Change, Feed
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named, kind_of
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.status import ApiError

Reconcile: TypeAlias = Callable[[Objects, Json], None]

_log = logging.getLogger(__name__)


class Controllers:
    """All controllers over one set of objects."""

    def __init__(self, objects: Objects, ca: Path) -> None:
        """`ca` is the certificate authority that clients inside the cluster are given."""
        authority = read_bytes(ca)
        self._objects = objects
        self._after: Mapping[str, Reconcile] = {
            "namespaces": namespaces.follow(authority),
            "secrets": tokens.fill(authority),
            "jobs": jobs.follow,
            "deployments": deployments.follow,
            "statefulsets": stateful_sets.follow,
            "persistentvolumes": volumes.follow,
            "persistentvolumeclaims": volumes.follow_claim,
            "pods": pods.follow,
            "serviceaccounts": jobs.try_again,
        }
        self._ended: Mapping[str, Reconcile] = {
            "serviceaccounts": tokens.forget,
            "pods": _replaced({"Deployment": deployments.follow, "StatefulSet": stateful_sets.follow}),
            "persistentvolumeclaims": volumes.release,
        }

    def catch_up(self) -> None:
        """Looks at every object, as after a restart."""
        for plural, reconcile in self._after.items():
            for obj in list(self._objects.store.list(kind_named(plural))):
                self._call(reconcile, obj)

    async def run(self, feed: Feed) -> None:
        """Follows the changes of a feed until it ends."""
        while (change := await feed.get()) is not None:
            self._follow(change)

    def _follow(self, change: Change) -> None:
        table = self._after if change.after is not None else self._ended
        if reconcile := table.get(change.kind.plural):
            metadata = change.subject["metadata"]
            current = self._objects.store.get(change.kind, metadata.get("namespace", ""), metadata["name"])
            if change.after is None or current is not None:
                self._call(reconcile, change.subject if change.after is None or current is None else current)

    def _call(self, reconcile: Reconcile, obj: Json) -> None:
        try:
            reconcile(self._objects, obj)
        except ApiError as error:
            _log.info("controller: %s %s: %s", obj.get("kind"), obj["metadata"].get("name"), error.message)


def _replaced(owners: Mapping[str, Reconcile]) -> Reconcile:
    """Looks again at the owner, of one of these kinds, that an ended pod belonged to."""

    def reconcile(objects: Objects, pod: Json) -> None:
        for reference in pod["metadata"].get("ownerReferences", []):
            kind = kind_of(reference["apiVersion"], reference["kind"])
            if kind is None or kind.kind not in owners:
                continue
            owner = objects.store.get(kind, pod["metadata"]["namespace"], reference["name"])
            if owner is not None and owner["metadata"]["uid"] == reference["uid"]:
                owners[kind.kind](objects, owner)

    return reconcile
