"""What a request asks for, read from its query and headers into types."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from ppmlctl.foreign_json import parse_foreign
from ppmlctl.sandbox.kubernetes import status
from ppmlctl.sandbox.kubernetes.deletion import POLICIES, DeleteOptions
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.objects import WriteOptions
from ppmlctl.sandbox.kubernetes.selectors import Selection, parse_selection
from ppmlctl.sandbox.kubernetes.watching import Watch

LONGEST_WATCH = 3600.0
TABLE = ("as=Table", "v=v1", "g=meta.k8s.io")


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    selection: Selection
    limit: int
    """At most so many objects; 0 is all."""
    after: tuple[str, str]
    """Namespace and name of the last object that the client has."""


def flag(request: Request, name: str) -> bool:
    """Whether a boolean parameter is on; `?watch` alone counts."""
    return request.query_params.get(name, "false") in ("", "1", "true", "True")


def write_options(request: Request, verb: str) -> WriteOptions:
    """The options of a write. Raises ApiError (Invalid) for values that the API does not know."""
    manager = request.query_params.get("fieldManager", "")
    agent = request.headers.get("user-agent", "unknown").partition("/")[0]
    return WriteOptions(
        manager=manager or agent,
        dry_run=dry_run(request, f"{verb}Options"),
        force=flag(request, "force"),
        strict=request.query_params.get("fieldValidation") == "Strict",
    )


def require_manager(request: Request) -> None:
    """Refuses a server-side apply that does not say who applies."""
    if not request.query_params.get("fieldManager"):
        cause = status.Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        raise status.invalid("PatchOptions.meta.k8s.io", "", [cause])


def dry_run(request: Request, options: str) -> bool:
    """Whether nothing shall be stored. Raises ApiError (Invalid) for any value but `All`."""
    values = [value for value in request.query_params.getlist("dryRun") if value]
    if wrong := [value for value in values if value != "All"]:
        cause = _unsupported("dryRun", json.dumps(wrong), '"All"')
        raise status.invalid(f"{options}.meta.k8s.io", "", [cause])
    return bool(values)


def _unsupported(field: str, found: str, supported: str) -> status.Cause:
    return status.Cause("FieldValueNotSupported", f"Unsupported value: {found}: supported values: {supported}", field)


def page(request: Request, kind: Kind) -> Page:
    """The part of a list that is asked for. Raises ApiError (BadRequest)."""
    after = request.query_params.get("continue", "")
    limit = _number(request, "limit")
    return Page(selection(request, kind), limit, _continued(after) if after else ("", ""))


def selection(request: Request, kind: Kind) -> Selection:
    """The objects that the selectors admit. Raises ApiError (BadRequest)."""
    query = request.query_params
    return parse_selection(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))


def continuation(last: Json) -> str:
    """The token with which a client asks for what comes behind this object."""
    place = [last["metadata"].get("namespace", ""), last["metadata"]["name"]]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _continued(token: str) -> tuple[str, str]:
    try:
        namespace, name = parse_foreign(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as error:
        raise status.bad_request(f"continue key is not valid: {token}") from error
    return str(namespace), str(name)


def watch(request: Request, kind: Kind, namespace: str | None) -> Watch:
    """The watch that is asked for. Raises ApiError (BadRequest, Invalid)."""
    if "sendInitialEvents" in request.query_params:
        cause = status.Cause(
            "FieldValueForbidden", "Forbidden: sendInitialEvents is forbidden for watch", "sendInitialEvents"
        )
        raise status.invalid("ListOptions.meta.k8s.io", "", [cause])
    timeout = _number(request, "timeoutSeconds") or LONGEST_WATCH
    revision = _number(request, "resourceVersion") or None
    return Watch(kind, namespace, selection(request, kind), revision, timeout)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name) or "0"
    if not text.isdecimal():
        raise status.bad_request(f"{name}: {text!r} is not a number")
    return int(text)


def delete_options(request: Request, body: Any) -> DeleteOptions:
    """The options of a deletion, from query and body. Raises ApiError (Invalid)."""
    given = body if isinstance(body, dict) else {}
    policy = request.query_params.get("propagationPolicy") or given.get("propagationPolicy") or ""
    orphan = request.query_params.get("orphanDependents") or given.get("orphanDependents")
    if not policy and orphan is not None:
        policy = "Orphan" if orphan in (True, "true") else "Background"
    if policy and policy not in POLICIES:
        supported = ", ".join(f'"{name}"' for name in (*POLICIES, "nil"))
        raise status.invalid(
            "DeleteOptions.meta.k8s.io", "", [_unsupported("propagationPolicy", f'"{policy}"', supported)]
        )
    required = given.get("preconditions") or {}
    return DeleteOptions(
        propagation=policy,
        uid=required.get("uid") or "",
        revision=required.get("resourceVersion") or "",
        dry_run=dry_run(request, "DeleteOptions") or "All" in (given.get("dryRun") or []),
    )


def wants_table(request: Request) -> bool:
    """Whether the client asks for a Table rather than objects."""
    accepted = request.headers.get("accept", "").partition(",")[0]
    return all(part in accepted for part in TABLE)
