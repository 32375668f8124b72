"""What an API server's answers look like. Anything else came from something in between, and proves nothing.

Source: Kubernetes, "API concepts"; apimachinery, meta/v1 (ObjectMeta, ListMeta, Status, APIGroupList, APIResourceList).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from ppmlctl.clients.kubernetes.faults import no_api
from ppmlctl.clients.kubernetes.requests import Request

Answer = dict[str, Any]
_TEXTS = ("namespace", "generateName", "resourceVersion", "creationTimestamp", "deletionTimestamp", "continue")
_MAPS = ("labels", "annotations")
_LISTS = ("ownerReferences", "finalizers", "managedFields")


def of_kind(request: Request, answer: Answer, kind: str, context: str) -> Answer:
    """The answer, which must be of that kind. Raises NoApiError."""
    if answer.get("kind") != kind:
        raise no_api(request, context, f"an answer of kind {answer.get('kind')!r} instead of {kind}")
    return answer


def whole_object(request: Request, answer: Answer, context: str) -> Answer:
    """One object of the kind, version and name that the request is about. Raises NoApiError.

    Only what a dry run would create has no resourceVersion, and what a deletion has taken away at once.
    """
    named_object(request, answer, context)
    if not request.is_dry_run and not _is_text(answer["metadata"], "resourceVersion"):
        raise no_api(request, context, "an object without a resourceVersion")
    return answer


def named_object(request: Request, answer: Answer, context: str) -> Answer:
    """One object of the kind, version and name that the request is about, of whatever state. Raises NoApiError."""
    of_kind(request, answer, request.kind, context)
    if answer.get("apiVersion") != request.api_version:
        found = f"an object of version {answer.get('apiVersion')!r} instead of {request.api_version}"
        raise no_api(request, context, found)
    metadata = answer.get("metadata")
    if not _is_metadata(metadata) or metadata.get("name") != request.object_name or not _is_text(metadata, "uid"):
        raise no_api(request, context, "an object without the name that was asked for, or without a uid")
    return answer


def deletion(request: Request, answer: Answer, context: str) -> Answer:
    """A Status of success, or the object as it was when it went or stands while something holds it.

    Raises NoApiError. A pod that no node had begun goes at once, and is answered without a resourceVersion.
    """
    if answer.get("kind") == "Status":
        details = answer.get("details")
        if answer.get("status") == "Success" and isinstance(details, Mapping) and _is_text(details, "uid"):
            return answer
        raise no_api(request, context, "a Status that is no success of a deletion")
    return named_object(request, answer, context)


def page(request: Request, answer: Answer, context: str) -> Answer:
    """One page of a list. Raises NoApiError for anything else, and for one that was cut short."""
    kind = answer.get("kind")
    if not answer.keys() >= {"apiVersion", "items"} or not isinstance(kind, str) or kind in {"Status", request.kind}:
        raise no_api(request, context, f"an answer of kind {kind!r} instead of a list of {request.kind}")
    metadata, items = answer.get("metadata"), answer.get("items")
    if items is None:
        answer, items = {**answer, "items": []}, []  # how Go writes an empty list of some kinds
    if not _is_metadata(metadata) or not isinstance(items, list) or not all(map(_is_object, items)):
        raise no_api(request, context, "a list without metadata or items")
    if metadata.get("remainingItemCount") and not metadata.get("continue"):
        raise no_api(request, context, "a list that says that more follows, and not how to get it")
    return answer


def groups(request: Request, answer: Answer, context: str) -> Answer:
    """The groups that the server has, each with its versions, and maybe the preferred one. Raises NoApiError."""
    of_kind(request, answer, "APIGroupList", context)
    if not _all_mappings(answer.get("groups")) or not all(map(_is_group, answer["groups"])):
        raise no_api(request, context, "a list of API groups without their names and versions")
    return answer


def preferred(group: Mapping[str, Any]) -> str:
    """The `GROUP/VERSION` that the server names first for a group."""
    return str((group.get("preferredVersion") or group["versions"][0])["groupVersion"])


def served_kinds(request: Request, answer: Answer, context: str) -> Answer:
    """The kinds of one group and version. Raises NoApiError."""
    of_kind(request, answer, "APIResourceList", context)
    if not _all_mappings(answer.get("resources")) or not all(map(_is_kind, answer["resources"])):
        raise no_api(request, context, "a list of API resources without their kinds and names")
    return answer


def review(request: Request, answer: Answer, context: str) -> bool:
    """Whether a SelfSubjectAccessReview allows it. Raises NoApiError."""
    of_kind(request, answer, "SelfSubjectAccessReview", context)
    status = answer.get("status")
    if not isinstance(status, Mapping) or not isinstance(status.get("allowed"), bool):
        raise no_api(request, context, "an access review without a decision")
    return bool(status["allowed"])


def _is_group(entry: Mapping[str, Any]) -> bool:
    versions, preferred = entry.get("versions"), entry.get("preferredVersion")
    if not versions or not _all_mappings(versions) or not _is_text(entry, "name"):
        return False
    named = [*versions, preferred or versions[0]]
    return _all_mappings(named) and all(_is_text(one, "groupVersion") for one in named)


def _is_kind(entry: Mapping[str, Any]) -> bool:
    verbs = entry.get("verbs")
    return (
        _is_text(entry, "kind")
        and _is_text(entry, "name")
        and isinstance(entry.get("namespaced"), bool)
        and (verbs is None or (isinstance(verbs, list) and _all_texts(verbs)))
    )


def _is_object(item: object) -> bool:
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    return _is_metadata(metadata) and _is_text(metadata, "name")


def _is_metadata(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether what is there of the fields that anything here reads is of the type that the API gives it."""
    return (
        isinstance(value, Mapping)
        and all(value.get(name) is None or isinstance(value[name], str) for name in _TEXTS)
        and all(value.get(name) is None or _is_map_of_texts(value[name]) for name in _MAPS)
        and all(value.get(name) is None or isinstance(value[name], list) for name in _LISTS)
        and _all_mappings(value.get("ownerReferences") or [])
        and _all_mappings(value.get("managedFields") or [])
        and _all_texts(value.get("finalizers") or [])
    )


def _is_map_of_texts(value: object) -> bool:
    return isinstance(value, Mapping) and _all_texts(value.values())


def _all_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _all_mappings(value: object) -> TypeGuard[list[Mapping[str, Any]]]:
    return isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value)


def _is_text(of: Mapping[str, Any], name: str) -> bool:
    return isinstance(of.get(name), str)
