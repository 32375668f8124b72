"""The operations on a cluster's objects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ppmlctl.clients.kubernetes import answers, requests
from ppmlctl.clients.kubernetes.events import Event, events_in
from ppmlctl.clients.kubernetes.faults import (
    ExpiredError,
    MadeAnewError,
    NoApiError,
    NotStartedError,
    ObjectGoneError,
    UnknownKindError,
    beyond_limits,
    unknown_kind,
)
from ppmlctl.clients.kubernetes.kubeconfig import connect
from ppmlctl.clients.kubernetes.resources import WELL_KNOWN, Resource, group_path, listable_in, resources_in
from ppmlctl.clients.kubernetes.transport import Transport
from ppmlctl.clients.kubernetes.waiting import Condition, Wait
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.effects import Effects
from ppmlctl.kubernetes.field_paths import FieldPath, field_paths
from ppmlctl.kubernetes.objects import Manifest, ObjectKey, key_of
from ppmlctl.kubernetes.ownership import as_applied
from ppmlctl.kubernetes.prepare import prepared

_LONGEST_SILENCE_SECONDS = 24 * 3600.0
"""A job may write nothing for hours; that its connection died is noticed by then."""

_LARGEST_LIST = 1 << 27
"""Bytes of all pages of a list: some ten thousand pods, which as objects take a gigabyte of memory."""
_MOST_PAGES = 2_000
"""Of 500 objects each: a server whose pages lead nowhere would keep a list going for ever."""

Propagation = Literal["Background", "Foreground", "Orphan"]


class KubernetesClient:
    """One cluster, as the user of one kubeconfig context sees it. Safe for threads.

    Operations take and return plain manifests. All raise EngineError, TransientError where another try may help, and
    WriteRefusedError for a write where `effects` allow only reads. Nothing is repeated here.
    """

    def __init__(self, effects: Effects, *, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Reads the kubeconfig (see `kubeconfig.connect`) and sends nothing yet."""
        self.connection = connect(kubeconfig, context)
        self._transport = Transport(self.connection, effects)
        self._discovered: dict[tuple[str, str], Resource] = {}
        self._created_only: dict[Resource, frozenset[FieldPath]] = {}
        self._lock = threading.Lock()

    def cluster_identity(self) -> str:
        """What tells this cluster from all others for as long as it lives: the uid of its namespace kube-system."""
        key = ObjectKey("v1", "Namespace", "", "kube-system")
        return str(self._object(requests.get(self.resource("v1", "Namespace"), key))["metadata"]["uid"])

    def resource(self, api_version: str, kind: str) -> Resource:
        """Where the kind is served. Asks the server once per group, and not at all for the well-known kinds.

        Raises UnknownKindError.
        """
        known = WELL_KNOWN.get((api_version, kind)) or self._served(api_version, kind)
        if known is None:
            raise unknown_kind(api_version, kind)
        return known

    def resources(self) -> list[Resource]:
        """All kinds that can be listed, each by its group's preferred version; without groups that do not answer."""
        request = requests.discovery("groups", "/apis")
        listing = answers.groups(request, self._transport.send(request), self.connection.context)
        found: list[Resource] = []
        for version in ("v1", *(answers.preferred(group) for group in listing["groups"])):
            with suppress(EngineError):
                request = requests.discovery(version, group_path(version))
                kinds = answers.served_kinds(request, self._transport.send(request), self.connection.context)
                found += listable_in(version, kinds)
        return found

    def as_served(self, key: ObjectKey) -> ObjectKey | None:
        """The key, by a version of its group that has the kind now; None where none has: so there are no such objects.

        An object outlives the version that it was made by.
        """
        try:
            self.resource(key.api_version, key.kind)
        except UnknownKindError:
            versions = self._versions(key.api_version.rpartition("/")[0])
            served = (replace(key, api_version=one) for one in versions if self._served(one, key.kind))
            return next(served, None)
        return key

    def get(self, key: ObjectKey) -> Manifest | None:
        """The object, or None where the server says that it is not there, or does not serve its kind any more."""
        try:
            return self._object(requests.get(self._resource_of(key), key))
        except ObjectGoneError:
            return None
        except NoApiError:
            if self._is_served_now(key.api_version, key.kind):
                raise
            return None

    def list_objects(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Manifest]:
        """All objects of one kind, of one namespace or of all, each a whole manifest, in the server's order."""
        resource = self.resource(api_version, kind)
        try:
            return list(self._pages(resource, namespace, label_selector, field_selector))
        except ExpiredError:
            # A list that takes longer than the server keeps its snapshot (410) is begun anew, once.
            return list(self._pages(resource, namespace, label_selector, field_selector))
        except NoApiError:
            if self._is_served_now(api_version, kind):
                raise
            raise unknown_kind(api_version, kind) from None

    def apply(
        self,
        manifest: Manifest,
        *,
        manager: str = requests.FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> Manifest:
        """Makes the declared fields so, by server-side apply as field manager `manager`; returns the whole object.

        With `dry_run` the server only computes the result: a read. Raises ConflictError (k8s-conflict) where another
        manager holds a declared field, unless `force` takes it over. A manifest with metadata.resourceVersion is taken
        only while the object is of that version: else ConflictError (k8s-changed), too.
        """
        manifest = self.placed(manifest)
        key = key_of(manifest)
        resource, body = self._resource_of(key), prepared(manifest)
        how = requests.Applying(manager, force=force, dry_run=dry_run)
        try:
            return self._object(requests.apply(resource, key, body, how))
        except MadeAnewError:
            checked = self._created_only.get(resource, frozenset())
            self._created_only[resource] = checked | field_paths(body)
            raise
        except NoApiError:
            if self._is_served_now(key.api_version, key.kind):
                raise
            raise unknown_kind(key.api_version, key.kind) from None

    def is_created_only(self, manifest: Manifest) -> bool:
        """Whether the server is known to make no object of this kind by an apply that names a version.

        Only for fields that such an apply has shown it to know: a creation drops others without a word.
        """
        checked = self._created_only.get(self._resource_of(key_of(manifest)))
        return checked is not None and field_paths(prepared(manifest)) <= checked

    def create(self, manifest: Manifest, *, manager: str = requests.FIELD_MANAGER, dry_run: bool = False) -> Manifest:
        """Creates the object. Raises ObjectExistsError where one of that name is there already.

        With `dry_run` the server only says whether it could: a read.
        """
        manifest = self.placed(manifest)
        key = key_of(manifest)
        resource, body = self._resource_of(key), prepared(manifest)
        return self._object(requests.create(resource, key, body, manager=manager, dry_run=dry_run))

    def take_as_applied(self, live: Manifest, manager: str) -> Manifest:
        """Makes what `manager` created or updated its own by apply, so that what a later apply leaves out goes.

        Raises ConflictError (k8s-changed) where the object is of another version by now.
        """
        key, metadata = key_of(live), live["metadata"]
        part = {"resourceVersion": metadata["resourceVersion"], "managedFields": as_applied(live, manager)}
        return self._object(requests.merge(self._resource_of(key), key, {"metadata": part}, manager))

    def replace(self, manifest: Manifest) -> Manifest:
        """Puts the object in the place of the version that its metadata.resourceVersion names.

        Raises ConflictError (k8s-changed) where it was written or deleted since.
        """
        key = key_of(manifest)
        return self._object(requests.replace(self._resource_of(key), key, prepared(manifest)))

    def placed(self, manifest: Manifest) -> Manifest:
        """The manifest, without a namespace where its kind lives in none. Raises UnknownKindError."""
        metadata = manifest["metadata"]
        if not metadata.get("namespace") or self.resource(manifest["apiVersion"], manifest["kind"]).namespaced:
            return manifest
        return {**manifest, "metadata": {name: value for name, value in metadata.items() if name != "namespace"}}

    def delete(
        self,
        key: ObjectKey,
        *,
        propagation: Propagation = "Background",
        uid: str | None = None,
        version: str | None = None,
        wait_seconds: float | None = None,
    ) -> bool:
        """Deletes the object and says whether there was one; with `wait_seconds` returns when it is gone.

        `uid` protects another object that took the name meanwhile, `version` (a resourceVersion) what was written
        since: then ConflictError (k8s-changed).
        """
        request = requests.delete(self._resource_of(key), key, propagation=propagation, uid=uid, version=version)
        try:
            answer = answers.deletion(request, self._transport.send(request), self.connection.context)
        except ObjectGoneError:
            return False
        if wait_seconds is not None:
            # The answer is a Status, or the object itself where finalizers hold it.
            deleted = answer.get("details", {}).get("uid") or answer["metadata"]["uid"]
            gone = Condition("it is gone", lambda now: now is None or now["metadata"]["uid"] != deleted)
            self.wait(key, gone, wait_seconds)
        return True

    def wait(
        self, key: ObjectKey, until: Condition, seconds: float, *, stopping: threading.Event | None = None
    ) -> Manifest | None:
        """The object as soon as the condition holds for it, or None where the condition holds without an object.

        Follows the object by watch. Raises EngineError (k8s-timeout) after `seconds`, and WaitStoppedError within ten
        seconds after `stopping` is set.
        """
        stopping = stopping or threading.Event()
        return Wait(self._transport, self._resource_of(key), key, until, seconds, stopping).run()

    def pod_log(
        self,
        pod: ObjectKey,
        *,
        container: str | None = None,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        previous: bool = False,
    ) -> str:
        """What a pod's container has written so far, or wrote before it was restarted; empty where it never started.

        `tail_lines` asks for the end alone, `limit_bytes` for the beginning. Of a long log the node keeps the end.
        """
        path = self._resource_of(pod).item(pod.namespace, pod.name)
        part = {"tailLines": tail_lines, "limitBytes": limit_bytes}
        request = requests.pod_log(pod, path, container=container, part=part, previous=previous)
        try:
            return self._transport.text(request)
        except NotStartedError:
            return ""

    def follow_log(self, pod: ObjectKey) -> Iterator[str]:
        """What a pod's only container writes, line by line, until it ends. Raises NotStartedError before it begins."""
        path = self._resource_of(pod).item(pod.namespace, pod.name)
        request = requests.followed_log(pod, path)
        with self._transport.lines(request, _LONGEST_SILENCE_SECONDS) as lines:
            for line in lines:
                yield line.decode(errors="replace").rstrip("\n")

    def pods_of_job(self, job: ObjectKey) -> list[Manifest]:
        """The pods of a Job, oldest first."""
        pods = self.list_objects("v1", "Pod", job.namespace, label_selector=f"job-name={job.name}")
        return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]))

    def job_log(self, job: ObjectKey, *, tail_lines: int | None = None) -> str:
        """The log of a Job's youngest pod; empty where it has none."""
        pods = self.pods_of_job(job)
        return self.pod_log(key_of(pods[-1]), tail_lines=tail_lines) if pods else ""

    def events(self, key: ObjectKey) -> list[Event]:
        """What the cluster reported about an object lately (it forgets after an hour), oldest first."""
        selector = f"involvedObject.kind={key.kind},involvedObject.name={key.name}"
        return events_in(self.list_objects("v1", "Event", key.namespace or "default", field_selector=selector))

    def may(self, verb: str, api_version: str, kind: str, namespace: str | None = None) -> bool:
        """Whether this user is allowed to `verb` objects of a kind."""
        request = requests.access_review(verb, self.resource(api_version, kind), namespace)
        return answers.review(request, self._transport.send(request), self.connection.context)

    def _object(self, request: requests.Request) -> Manifest:
        return answers.whole_object(request, self._transport.send(request), self.connection.context)

    def _resource_of(self, key: ObjectKey) -> Resource:
        resource = self.resource(key.api_version, key.kind)
        if resource.namespaced and not key.namespace:
            title = "an object needs a namespace"
            raise EngineError(Diagnostic("k8s-no-namespace", title, found=str(key), fix="give metadata.namespace"))
        return resource

    def _served(self, api_version: str, kind: str) -> Resource | None:
        """A kind by discovery. What is not served is asked for again: a task may have installed it meanwhile."""
        with self._lock:
            if (api_version, kind) not in self._discovered:
                self._discovered |= self._discover(api_version)
            return self._discovered.get((api_version, kind))

    def _discover(self, api_version: str) -> dict[tuple[str, str], Resource]:
        request = requests.discovery(api_version, group_path(api_version))
        try:
            listing = self._transport.send(request)
        except NoApiError:
            # For what it does not serve the server has no Status either: its list of groups proves it.
            if api_version == "v1" or api_version in self._versions(api_version.rpartition("/")[0]):
                raise
            return {}
        return resources_in(api_version, answers.served_kinds(request, listing, self.connection.context))

    def _is_served_now(self, api_version: str, kind: str) -> bool:
        """Whether the kind is served, whatever was known before. Only the server's own list says that it is not."""
        with self._lock:
            self._discovered.pop((api_version, kind), None)
        try:
            return self._served(api_version, kind) is not None
        except EngineError:
            return True

    def _versions(self, group: str) -> list[str]:
        """The versions of a group, as `GROUP/VERSION`; none where it is not served."""
        request = requests.discovery("groups", "/apis")
        listing = answers.groups(request, self._transport.send(request), self.connection.context)
        found = (one for one in listing["groups"] if one.get("name") == group)
        return [version["groupVersion"] for one in found for version in one["versions"]]

    def _pages(self, resource: Resource, namespace: str | None, labels: str, fields: str) -> Iterator[Manifest]:
        proceed, size = "", 0
        for _ in range(_MOST_PAGES):
            request = requests.list_page(
                resource, namespace, label_selector=labels, field_selector=fields, proceed=proceed
            )
            answer, more = self._transport.sized(request)
            size += more
            if size > _LARGEST_LIST:
                raise beyond_limits(request, f"a list has more than {_LARGEST_LIST:,} bytes", self.connection)
            page = answers.page(request, answer, self.connection.context)
            for item in page["items"]:
                # Items of a list carry neither; everything else here expects whole manifests.
                yield {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            proceed = page["metadata"].get("continue") or ""
            if not proceed:
                return
        raise beyond_limits(request, f"a list has more than {_MOST_PAGES:,} pages", self.connection)
