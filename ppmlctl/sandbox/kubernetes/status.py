"""Errors as the API tells them: a Status object with a reason that clients switch on.

The texts and codes follow what Kubernetes 1.20 and later answer (apimachinery: pkg/api/errors/errors.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind


@dataclass(frozen=True)
class Cause:
    """One fault of one field. `reason` is FieldValueInvalid, FieldValueRequired and so on."""

    reason: str
    message: str
    field: str

    def as_json(self) -> Json:
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A refused request; `as_status` is the answer's body."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def as_status(self) -> Json:
        """The Status object that says what was refused and why."""
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        optional = {"reason": self.reason or None, "details": self.details}
        return status | {key: value for key, value in optional.items() if value is not None} | {"code": int(self.code)}


def success(kind: Kind, name: str, uid: str) -> Json:
    """The Status that answers a deletion."""
    details = _details(kind, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _details(kind: Kind, name: str) -> Json:
    group = {"group": kind.group} if kind.group else {}
    return {"name": name, **group, "kind": kind.plural}


def not_found(kind: Kind, name: str) -> ApiError:
    message = f'{kind.resource} "{name}" not found'
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", message, _details(kind, name))


def no_such_path() -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return ApiError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, {})


def already_exists(kind: Kind, name: str) -> ApiError:
    message = f'{kind.resource} "{name}" already exists'
    return ApiError(HTTPStatus.CONFLICT, "AlreadyExists", message, _details(kind, name))


def modified(kind: Kind, name: str) -> ApiError:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, why)


def conflict(kind: Kind, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(HTTPStatus.CONFLICT, "Conflict", message, _details(kind, name))


def ownership_conflict(conflicts: Sequence[tuple[str, str]]) -> ApiError:
    """Fields that other managers own, as pairs of the other manager and the field's path."""
    noun = "conflict" if len(conflicts) == 1 else "conflicts"
    managers = list(dict.fromkeys(manager for manager, _ in conflicts))
    parts = [_conflict_with(manager, [path for other, path in conflicts if other == manager]) for manager in managers]
    causes = [Cause("FieldManagerConflict", f"conflict with {manager}", path).as_json() for manager, path in conflicts]
    message = f"Apply failed with {len(conflicts)} {noun}: {', '.join(parts)}"
    return ApiError(HTTPStatus.CONFLICT, "Conflict", message, {"causes": causes})


def _conflict_with(manager: str, paths: list[str]) -> str:
    if len(paths) == 1:
        return f"conflict with {manager}: {paths[0]}"
    return f"conflicts with {manager}:\n" + "\n".join(f"- {path}" for path in paths)


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    message = f'{kind.resource} "{name}" is forbidden: {why}'
    return ApiError(HTTPStatus.FORBIDDEN, "Forbidden", message, _details(kind, name))


def bad_request(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def internal(message: str) -> ApiError:
    """What the API server answers, with 500 and no reason, when a patch does not fit the schema."""
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "", message)


def unauthorized() -> ApiError:
    return ApiError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def expired(revision: int) -> ApiError:
    return ApiError(HTTPStatus.GONE, "Expired", f"too old resource version: {revision}")


def unsupported_media_type(found: str, known: Sequence[str]) -> ApiError:
    message = (
        f"the body of the request was in an unknown format ({found}) - accepted media types include: {', '.join(known)}"
    )
    return ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message, {})


def invalid(qualified: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """An object whose fields break rules; `qualified` is the kind with its group."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    kind, _, group = qualified.partition(".")
    named = {key: value for key, value in (("name", name), ("group", group)) if value}
    details = {**named, "kind": kind, "causes": [cause.as_json() for cause in causes]}
    message = f'{qualified} "{name}" is invalid: {listed}'
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message, details)
