"""What is sent to the API server, as values: each request declares its effect, and a declared read must be one.

GET reads. Of the other methods only those on the short list below read: server-side dry runs, and access reviews, which
ask a question by POST. Anything else that declares itself a read is a defect and refused before it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ppmlctl.clients.kubernetes.resources import Resource
from ppmlctl.effects import Effect
from ppmlctl.kubernetes.objects import Manifest, ObjectKey

FIELD_MANAGER = "ppmlctl"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PAGE = 500
"""Objects in one page of a list, as kubectl asks for them."""

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Request:
    """One call. `subject` says what it is about in words; its repr leaves out the body, which may hold secrets."""

    effect: Effect
    verb: str
    subject: str
    method: str
    path: str
    kind: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Manifest | None = field(default=None, repr=False)
    content_type: str = JSON
    object_name: str = ""
    """The object that it is about; a 404 proves an absence only where it names that."""

    def __post_init__(self) -> None:
        if self.effect is Effect.READ and not self._reads():
            raise ValueError(f"{self.method} {self.path} is declared a read, and is none")

    def _reads(self) -> bool:
        return self.method == "GET" or self.is_dry_run or self.path == ACCESS_REVIEWS

    @property
    def is_dry_run(self) -> bool:
        """Whether the server only says what would come of it."""
        return self.query.get("dryRun") == "All"

    @property
    def api_version(self) -> str:
        """The version that its path speaks of: `/api/v1/…`, `/apis/GROUP/VERSION/…`."""
        _, root, *parts = self.path.split("/")
        return "/".join(parts[: 1 if root == "api" else 2])

    @property
    def name(self) -> str:
        """The operation in words, such as `apply Secret ppml/kms-secret`."""
        return f"{self.verb} {self.subject}"

    @property
    def url(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as sent. JSON is YAML too, so it serves apply patches as well."""
        return None if self.body is None else json.dumps(self.body).encode()


def get(resource: Resource, key: ObjectKey) -> Request:
    path = resource.item(key.namespace, key.name)
    return Request(Effect.READ, "get", str(key), "GET", path, key.kind, object_name=key.name)


def list_page(
    resource: Resource,
    namespace: str | None,
    *,
    label_selector: str = "",
    field_selector: str = "",
    proceed: str = "",
) -> Request:
    """One page of a list; `proceed` is the previous page's `metadata.continue`."""
    asked = {"limit": str(PAGE), "labelSelector": label_selector, "fieldSelector": field_selector, "continue": proceed}
    query = {name: value for name, value in asked.items() if value}
    subject = f"{resource.plural} in {namespace}" if namespace else resource.plural
    return Request(Effect.READ, "list", subject, "GET", resource.collection(namespace), resource.kind, query)


def watch(resource: Resource, key: ObjectKey, *, since: str, seconds: int) -> Request:
    """The changes of one object after resource version `since`."""
    query = {
        "watch": "true",
        "fieldSelector": f"metadata.name={key.name}",
        "resourceVersion": since,
        "timeoutSeconds": str(seconds),
    }
    return Request(Effect.READ, "watch", str(key), "GET", resource.collection(key.namespace), key.kind, query)


@dataclass(frozen=True)
class Applying:
    """How a manifest is applied: as which field manager, taking over what others hold, or only to see the result."""

    manager: str = FIELD_MANAGER
    force: bool = False
    dry_run: bool = False


def apply(resource: Resource, key: ObjectKey, manifest: Manifest, how: Applying) -> Request:
    query = {"fieldManager": how.manager, "force": str(how.force).lower()}
    effect = Effect.READ if how.dry_run else Effect.WRITE
    if how.dry_run:
        query["dryRun"] = "All"
    path = resource.item(key.namespace, key.name)
    return Request(effect, "apply", str(key), "PATCH", path, key.kind, query, manifest, APPLY_PATCH, key.name)


def create(
    resource: Resource, key: ObjectKey, manifest: Manifest, *, manager: str = FIELD_MANAGER, dry_run: bool = False
) -> Request:
    path, query = resource.collection(key.namespace), {"fieldManager": manager}
    effect = Effect.READ if dry_run else Effect.WRITE
    if dry_run:
        query["dryRun"] = "All"
    return Request(effect, "create", str(key), "POST", path, key.kind, query, manifest, object_name=key.name)


def merge(resource: Resource, key: ObjectKey, part: Manifest, manager: str) -> Request:
    """A JSON merge patch (RFC 7386)."""
    path, query = resource.item(key.namespace, key.name), {"fieldManager": manager}
    return Request(Effect.WRITE, "patch", str(key), "PATCH", path, key.kind, query, part, MERGE_PATCH, key.name)


def replace(resource: Resource, key: ObjectKey, manifest: Manifest) -> Request:
    path, query = resource.item(key.namespace, key.name), {"fieldManager": FIELD_MANAGER}
    return Request(Effect.WRITE, "update", str(key), "PUT", path, key.kind, query, manifest, object_name=key.name)


def delete(
    resource: Resource, key: ObjectKey, *, propagation: str, uid: str | None = None, version: str | None = None
) -> Request:
    """`uid` and `version` make the server refuse when the object of that name is another one, or changed, by now."""
    options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    required = {name: value for name, value in (("uid", uid), ("resourceVersion", version)) if value}
    if required:
        options["preconditions"] = required
    path = resource.item(key.namespace, key.name)
    return Request(Effect.WRITE, "delete", str(key), "DELETE", path, key.kind, body=options, object_name=key.name)


def pod_log(
    pod: ObjectKey, path: str, *, container: str | None, part: Mapping[str, int | None], previous: bool = False
) -> Request:
    query: dict[str, str] = {"previous": "true"} if previous else {}
    if container:
        query["container"] = container
    query |= {name: str(number) for name, number in part.items() if number is not None}
    return Request(Effect.READ, "read log of", str(pod), "GET", f"{path}/log", pod.kind, query, object_name=pod.name)


def followed_log(pod: ObjectKey, path: str) -> Request:
    """The answer goes on until the container ends."""
    query = {"follow": "true"}
    return Request(Effect.READ, "follow log of", str(pod), "GET", f"{path}/log", pod.kind, query, object_name=pod.name)


def discovery(api_version: str, path: str) -> Request:
    return Request(Effect.READ, "discover", api_version, "GET", path)


def access_review(verb: str, resource: Resource, namespace: str | None) -> Request:
    """Asks whether the user of this kubeconfig may do something."""
    attributes: dict[str, Any] = {"verb": verb, "group": resource.group, "resource": resource.plural}
    if namespace:
        attributes["namespace"] = namespace
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return Request(Effect.READ, "review access to", resource.plural, "POST", ACCESS_REVIEWS, body=body)
