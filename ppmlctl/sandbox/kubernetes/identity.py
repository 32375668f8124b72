"""Who an object is: names, namespace and uid, in the request's path and in its body."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from ppmlctl.sandbox.kubernetes import status
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_PREFIX = 58


def timestamp() -> str:
    """The time now, as the API writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def generated_name(prefix: str) -> str:
    """A name of this generateName prefix."""
    suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))
    return prefix[:_LONGEST_PREFIX] + suffix


def addressed(kind: Kind, namespace: str, name: str, body: Any) -> Json:
    """The body as an object of this kind at this address.

    `name` is empty where the body brings it (create). Raises ApiError where body and address disagree.
    """
    body = {} if body is None else body
    if not isinstance(body, dict) or not isinstance(metadata := body.get("metadata", {}) or {}, dict):
        raise status.bad_request(f"the object provided is unrecognized (must be of type {kind.kind})")
    _require_kind(kind, body)
    if namespace and (given := metadata.get("namespace")) not in (None, "", namespace):
        mismatch = f"the namespace of the object ({given}) does not match the namespace on the request ({namespace})"
        raise status.bad_request(mismatch)
    if name and (given := metadata.get("name")) not in (None, "", name):
        raise status.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
    placed = {**metadata, **({"name": name} if name else {}), **({"namespace": namespace} if namespace else {})}
    if not namespace:
        placed.pop("namespace", None)
    return {**body, "apiVersion": kind.group_version, "kind": kind.kind, "metadata": placed}


def _require_kind(kind: Kind, body: Json) -> None:
    found = body.get("apiVersion") or kind.group_version, body.get("kind") or kind.kind
    if found != (kind.group_version, kind.kind):
        raise status.bad_request(
            f"{found[1]} in version {found[0]!r} cannot be handled as a {kind.kind} in version {kind.group_version!r}"
        )


def newborn(kind: Kind, obj: Json) -> Json:
    """The object with what only the server gives: name of a generateName, uid, time, generation."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVER_FIELDS}
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            missing = status.Cause(
                "FieldValueRequired", "Required value: name or generateName is required", "metadata.name"
            )
            raise status.invalid(kind.qualified, "", [missing])
        metadata["name"] = generated_name(metadata["generateName"])
    given: Json = {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
    if kind.has_generation:
        given["generation"] = 1
    return {**without_status(kind, obj), "metadata": {**metadata, **given}}


def grown(kind: Kind, live: Json, new: Json) -> Json:
    """The new object with the identity of the live one."""
    given = {key: live["metadata"][key] for key in SERVER_FIELDS if key in live["metadata"]}
    kept = {key: value for key, value in new["metadata"].items() if key not in SERVER_FIELDS}
    state = {"status": live["status"]} if kind.has_status and "status" in live else {}
    return {**without_status(kind, new), **state, "metadata": {**kept, **given}}


def without_status(kind: Kind, obj: Json) -> Json:
    """The object without the status that only controllers write."""
    return {key: value for key, value in obj.items() if not (kind.has_status and key == "status")}


SERVER_FIELDS = frozenset(
    {
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    }
)
