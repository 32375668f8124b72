"""What an API server's answers look like. Anything else came from something in between, and proves nothing.

Source: Kubernetes, "API concepts"; apimachinery, meta/v1 (ListMeta, Status).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppmlctl.clients.kubernetes.faults import no_api
from ppmlctl.clients.kubernetes.requests import Request

Answer = dict[str, Any]


def of_kind(request: Request, answer: Answer, kind: str, context: str) -> Answer:
    """The answer, which must be of that kind. Raises NoApiError."""
    if answer.get("kind") != kind:
        raise no_api(request, context, f"an answer of kind {answer.get('kind')!r} instead of {kind}")
    return answer


def whole_object(request: Request, answer: Answer, context: str) -> Answer:
    """One object of the kind and name that the request is about. Raises NoApiError."""
    of_kind(request, answer, request.kind, context)
    metadata = answer.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("name") != request.object_name or "uid" not in metadata:
        raise no_api(request, context, "an object without the name that was asked for, or without a uid")
    return answer


def deletion(request: Request, answer: Answer, context: str) -> Answer:
    """A Status of success, or the object as it stands while something holds it. Raises NoApiError."""
    if answer.get("kind") == "Status":
        details = answer.get("details")
        if answer.get("status") == "Success" and isinstance(details, Mapping) and "uid" in details:
            return answer
        raise no_api(request, context, "a Status that is no success of a deletion")
    return whole_object(request, answer, context)


def page(request: Request, answer: Answer, context: str) -> Answer:
    """One page of a list. Raises NoApiError for anything else, and for one that was cut short."""
    if "apiVersion" not in answer or answer.get("kind") in {None, "Status", request.kind}:
        raise no_api(request, context, f"an answer of kind {answer.get('kind')!r} instead of a list of {request.kind}")
    metadata, items = answer.get("metadata"), answer.get("items")
    if items is None:
        answer, items = {**answer, "items": []}, []  # how Go writes an empty list of some kinds
    if not isinstance(metadata, Mapping) or not isinstance(items, list) or not all(map(_is_object, items)):
        raise no_api(request, context, "a list without metadata or items")
    if metadata.get("remainingItemCount") and not metadata.get("continue"):
        raise no_api(request, context, "a list that says that more follows, and not how to get it")
    return answer


def _is_object(item: object) -> bool:
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    return isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str)
