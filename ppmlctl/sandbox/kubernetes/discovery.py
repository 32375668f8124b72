"""What the API says of itself: versions, groups, resources, and the little OpenAPI that kubectl looks for.

Resource lists are those of legacy discovery. The OpenAPI documents name only each path's group, version, kind and query
parameters: kubectl reads from them whether the server knows `fieldValidation` and `dryRun`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from itertools import groupby

from ppmlctl.sandbox.kubernetes.kinds import KINDS, Json, Kind

GIT_VERSION = "v1.32.0+ppmlctl-sandbox"
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
REVIEW = "selfsubjectaccessreviews"
REVIEW_GROUP = "authorization.k8s.io"


def version() -> Json:
    """The answer to /version."""
    return {
        "major": "1",
        "minor": "32",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": f"python {platform.python_version()}",
        "platform": "sandbox",
    }


def core_versions() -> Json:
    """The answer to /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> Json:
    """The answer to /apis."""
    names = [*dict.fromkeys(kind.group for kind in KINDS if kind.group), REVIEW_GROUP]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in names]}


def _group(name: str) -> Json:
    served = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [served], "preferredVersion": served}


def resources() -> dict[str, Json]:
    """The resource list of every group and version, by the path that serves it."""
    lists = {
        root: _resource_list(next(iter(kinds)).group_version, kinds)
        for root, grouped in groupby(sorted(KINDS, key=lambda kind: kind.root), key=lambda kind: kind.root)
        for kinds in [list(grouped)]
    }
    review = {
        "name": REVIEW,
        "singularName": "",
        "namespaced": False,
        "kind": "SelfSubjectAccessReview",
        "verbs": ["create"],
    }
    empty = _resource_list(f"{REVIEW_GROUP}/v1", [])
    return {**lists, f"/apis/{REVIEW_GROUP}/v1": {**empty, "resources": [review]}}


def _resource_list(group_version: str, kinds: list[Kind]) -> Json:
    entries = [entry for kind in kinds for entry in _resource_entries(kind)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries}


def _resource_entries(kind: Kind) -> Iterator[Json]:
    named = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced, "kind": kind.kind}
    optional = {"shortNames": list(kind.short_names), "categories": ["all"] if kind.in_all else []}
    yield {**named, "verbs": list(VERBS), **{key: value for key, value in optional.items() if value}}
    if kind.kind == "Pod":
        yield {"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]}


def openapi_index() -> Json:
    """The answer to /openapi/v3."""
    roots = dict.fromkeys(kind.root for kind in KINDS)
    return {"paths": {root[1:]: {"serverRelativeURL": f"/openapi/v3{root}"} for root in roots}}


def openapi(root: str) -> Json | None:
    """The document of one group and version, or None."""
    paths = {path: operations for kind in KINDS if kind.root == root for path, operations in _operations(kind)}
    info = {"title": "Kubernetes", "version": GIT_VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths} if paths else None


def _operations(kind: Kind) -> Iterator[tuple[str, Json]]:
    base = f"{kind.root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{kind.root}/{kind.plural}"
    known = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    operation = {"x-kubernetes-group-version-kind": known, "parameters": parameters, "responses": {}}
    yield base, {"post": operation}
    yield f"{base}/{{name}}", {"put": operation, "patch": operation, "delete": operation}
