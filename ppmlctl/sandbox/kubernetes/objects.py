"""The verbs: what becomes of the stored objects when a request or a controller asks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ppmlctl.sandbox.kubernetes import checking, defaults, identity, ownership, status, validation
from ppmlctl.sandbox.kubernetes.hub import Change, Hub
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind, kind_named
from ppmlctl.sandbox.kubernetes.ownership import APPLY, UPDATE, Owner
from ppmlctl.sandbox.kubernetes.schema import schema_of
from ppmlctl.sandbox.kubernetes.store import Store

CONTROLLER = "sandbox-controller"


@dataclass(frozen=True)
class WriteOptions:
    """What a write asks for besides its body."""

    manager: str = CONTROLLER
    dry_run: bool = False
    force: bool = False
    strict: bool = False
    """Whether an unknown field is an error (fieldValidation=Strict) or dropped."""


class Objects:
    """Reads and writes with the rules of the API: identity, ownership, defaults, validation, conflicts."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self.store = store
        self.hub = hub

    def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """The object. Raises ApiError (NotFound)."""
        if (found := self.store.get(kind, namespace, name)) is None:
            raise status.not_found(kind, name)
        return found

    def create(self, kind: Kind, namespace: str, body: Any, options: WriteOptions) -> Json:
        """Makes the object. Raises ApiError: AlreadyExists, Invalid, BadRequest, or NotFound for its namespace."""
        wanted = self._decoded(kind, identity.addressed(kind, namespace, "", body), options)
        wanted["metadata"].pop("managedFields", None)
        finished = self._finished(kind, identity.newborn(kind, wanted))
        owners = ownership.updated({}, finished, schema_of(kind), self._owner(kind, UPDATE, options))
        return self._begin(kind, finished, owners, options)

    def apply(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> tuple[Json, bool]:
        """Server-side apply: the object afterwards, and whether it is new. Raises ApiError, Conflict among others."""
        config = self._configuration(kind, identity.addressed(kind, namespace, name, body))
        live = self.store.get(kind, namespace, name)
        base = live if live is not None else {"metadata": {"name": name}}
        if live is not None:
            self._require_same(kind, live, config)
        by = self._owner(kind, APPLY, options)
        merged, owners = ownership.applied(base, config, schema_of(kind), by, force=options.force)
        if live is None:
            return self._begin(kind, self._finished(kind, identity.newborn(kind, merged)), owners, options), True
        return self._change(
            kind, live, self._finished(kind, identity.grown(kind, live, merged)), owners, options
        ), False

    def replace(self, kind: Kind, namespace: str, name: str, body: Any, options: WriteOptions) -> Json:
        """Puts the body in the object's place. Raises ApiError: NotFound, Invalid, Conflict if written since."""
        wanted = identity.addressed(kind, namespace, name, body)
        if self.store.get(kind, namespace, name) is None:
            # One that was read and is gone since is a conflict, not a thing never heard of.
            self._require_same(kind, {"metadata": {"name": name, "uid": "", "resourceVersion": ""}}, wanted)
        live = self.get(kind, namespace, name)
        if kind.versioned_updates and not wanted["metadata"].get("resourceVersion"):
            rule = "Invalid value: 0x0: must be specified for an update"
            cause = status.Cause("FieldValueInvalid", rule, "metadata.resourceVersion")
            raise status.invalid(kind.qualified, name, [cause])
        return self._update(kind, live, wanted, options)

    def patch(
        self, kind: Kind, namespace: str, name: str, change: Callable[[Json], Any], options: WriteOptions
    ) -> Json:
        """Puts what `change` makes of the object in its place. Raises ApiError as `replace`."""
        live = self.get(kind, namespace, name)
        patched = identity.addressed(kind, namespace, name, change(live))
        return self._update(kind, live, patched, options)

    def seed(self, kind: Kind, body: Json) -> Json:
        """Stores an object that the server itself makes: with defaults, but unchecked and owned by nobody."""
        obj = {**body, "apiVersion": kind.group_version, "kind": kind.kind}
        born = identity.newborn(kind, copy.deepcopy(obj))
        defaults.complete(kind, born)
        return self.write(kind, None, born)

    def set_status(self, kind: Kind, obj: Json, state: Json) -> Json:
        """Writes the status of an object; for controllers."""
        live = self.get(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return live if live.get("status") == state else self.write(kind, live, {**live, "status": state})

    def write(self, kind: Kind, live: Json | None, new: Json) -> Json:
        """Stores an object as it is and tells everyone."""
        stored = self.store.put(kind, new)
        self.hub.publish(Change(kind, int(stored["metadata"]["resourceVersion"]), live, stored))
        return stored

    def erase(self, kind: Kind, obj: Json) -> Json:
        """Takes an object out and tells everyone."""
        ended = self.store.delete(kind, obj)
        self.hub.publish(Change(kind, int(ended["metadata"]["resourceVersion"]), ended, None))
        return ended

    def _begin(self, kind: Kind, finished: Json, owners: tuple[Owner, ...], options: WriteOptions) -> Json:
        namespace, name = finished["metadata"].get("namespace", ""), finished["metadata"]["name"]
        if namespace:
            self.get(kind_named("namespaces"), "", namespace)
        self._require_account(kind, finished)
        self._refuse(kind, name, validation.causes(kind, finished))
        if self.store.get(kind, namespace, name) is not None:
            raise status.already_exists(kind, name)
        finished["metadata"] |= _managed(owners)
        return finished if options.dry_run else self.write(kind, None, finished)

    def _update(self, kind: Kind, live: Json, wanted: Json, options: WriteOptions) -> Json:
        self._require_same(kind, live, wanted)
        decoded = self._decoded(kind, wanted, options)
        finished = self._finished(kind, identity.grown(kind, live, decoded))
        by = self._owner(kind, UPDATE, options)
        forgotten = decoded["metadata"].get("managedFields") == []
        owners = ownership.updated(live, finished, schema_of(kind), by, forget=forgotten)
        return self._change(kind, live, finished, owners, options)

    def _change(self, kind: Kind, live: Json, finished: Json, owners: tuple[Owner, ...], options: WriteOptions) -> Json:
        name = live["metadata"]["name"]
        self._refuse(kind, name, chain(validation.causes(kind, finished), validation.changes(kind, live, finished)))
        finished["metadata"].pop("managedFields", None)
        finished["metadata"] |= _managed(owners)
        if finished == live:
            return live
        if "deletionTimestamp" in live["metadata"] and not finished["metadata"].get("finalizers"):
            return finished if options.dry_run else self.erase(kind, finished)
        if kind.has_generation and finished.get("spec") != live.get("spec"):
            finished["metadata"]["generation"] = live["metadata"].get("generation", 1) + 1
        return finished if options.dry_run else self.write(kind, live, finished)

    def _finished(self, kind: Kind, obj: Json) -> Json:
        """The object in canonical spelling, with its defaults."""
        finished: Json = checking.canonical(copy.deepcopy(obj), schema_of(kind))
        defaults.complete(kind, finished)
        return finished

    def _configuration(self, kind: Kind, config: Json) -> Json:
        """The applied configuration, checked against the schema as strictly as server-side apply does."""
        metadata = config["metadata"]
        if metadata.get("managedFields") is not None:
            raise status.bad_request("metadata.managedFields must be nil")
        if found := [str(fault) for fault in checking.faults(config, schema_of(kind))]:
            where = f"{metadata.get('namespace', '')}/{metadata['name']}; {kind.group}/{kind.version}, Kind={kind.kind}"
            raise status.internal(f"failed to create typed patch object ({where}): {', '.join(found)}")
        pruned: Json = checking.pruned(config, schema_of(kind))
        return identity.without_status(kind, pruned)

    def _decoded(self, kind: Kind, obj: Json, options: WriteOptions) -> Json:
        """The object as a decoder reads it: wrong types are refused, unknown fields too or dropped."""
        found = list(checking.faults(obj, schema_of(kind)))
        if wrong := [fault for fault in found if not fault.unknown]:
            version = kind.group_version
            message = f'{kind.kind} in version "{version}" cannot be handled as a {kind.kind}: {wrong[0]}'
            raise status.bad_request(message)
        if options.strict and found:
            unknown = ", ".join(f'unknown field "{fault.path.removeprefix(".")}"' for fault in found)
            raise status.bad_request(f"strict decoding error: {unknown}")
        pruned: Json = checking.pruned(obj, schema_of(kind))
        return pruned

    def _require_account(self, kind: Kind, finished: Json) -> None:
        """Refuses a pod whose service account is not there (admission plugin ServiceAccount)."""
        if kind.kind != "Pod":
            return
        namespace, account = finished["metadata"]["namespace"], finished["spec"]["serviceAccountName"]
        if self.store.get(kind_named("serviceaccounts"), namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise status.forbidden(kind, finished["metadata"]["name"], why)

    def _require_same(self, kind: Kind, live: Json, wanted: Json) -> None:
        """Refuses a write that was made for another state or another life of the object."""
        standing, name = live["metadata"], live["metadata"]["name"]
        if wanted["metadata"].get("resourceVersion") not in (None, "", standing["resourceVersion"]):
            raise status.modified(kind, name)
        if (uid := wanted["metadata"].get("uid")) not in (None, "", standing["uid"]):
            text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {standing['uid']}"
            raise status.conflict(kind, name, text)

    def _refuse(self, kind: Kind, name: str, causes: Iterator[status.Cause]) -> None:
        if found := list(causes):
            raise status.invalid(kind.qualified, name, found)

    def _owner(self, kind: Kind, operation: str, options: WriteOptions) -> Owner:
        return Owner(options.manager, operation, kind.group_version, frozenset(), identity.timestamp())


def _managed(owners: tuple[Owner, ...]) -> Json:
    recorded = ownership.record(owners)
    return {"managedFields": recorded} if recorded else {}
