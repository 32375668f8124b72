"""What the API server's refusals and the network's faults mean, as errors a user can act on.

EngineError
├── ObjectExistsError     create found the object there already
├── ObjectGoneError       the object, or the kind, is not there
├── ConflictError         another manager holds fields, or the object changed meanwhile
├── UnknownKindError      the cluster does not serve the kind
├── MadeAnewError         what was to be found at a version would have to be created
├── InvalidError          the object, or its change, breaks a rule
├── ForbiddenError        this user may not
├── NoApiError            something in between answered
└── TransientError
    ├── ExpiredError      a list took longer than the server keeps its snapshot
    └── NotStartedError   a container has no log yet

For Secrets the server's words are not repeated: they can quote values (`illegal base64 data`, `bigger context …`).
What is told instead is the reason and the names of the fields.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3.exceptions

from ppmlctl.clients.kubernetes.kubeconfig import Connection
from ppmlctl.clients.kubernetes.permissions import missing_permission
from ppmlctl.clients.kubernetes.requests import Request
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.foreign_json import parse_foreign

# An apply that does not fit the schema is answered with 500 by old servers (seen on 1.20), newer ones say 400 or 422.
_SCHEMA_FAULT = re.compile(
    r"failed to create typed patch object|failed to convert new object|field not declared in schema"
)
# Refusals of a Secret that come before its content is looked at, so that they cannot quote it.
_QUOTES_NO_VALUE = (
    "Unauthorized",
    "NotFound",
    "AlreadyExists",
    "TooManyRequests",
    "ServiceUnavailable",
    "ServerTimeout",
)
_RULES = re.compile(r"cannot \w+ resource|exceeded quota|because it is being terminated|in the precondition")
_NOBODYS = ("system:anonymous", "system:unauthenticated")
_WAY_THROUGH = "check that the proxy runs and lets through to the cluster, or name the cluster's host in NO_PROXY"
_UNCHANGEABLE = re.compile(
    r"immutable|(may|can) ?not (be )?(change|update|modif)|updates to .* are forbidden|changes? .* (is|are) not allowed"
)
_NO_VERSION = "resourceVersion should not be set on objects to be created"
_NO_DRY_RUN = re.compile(r"dry ?-?run", re.IGNORECASE)
_BAD_REQUEST = 400
_NOT_FOUND = 404
_GONE = 410
_INVALID = 422
_TOO_MANY = 429
_TUNNEL = re.compile(r"Tunnel connection failed: \d+ [ -~]{0,80}$")
"""The words of Python for a proxy's refusal, with its status."""
_SERVER_FAULT = 500


class ObjectExistsError(EngineError):
    """The object that should be created is there already."""


class ObjectGoneError(EngineError):
    """The object (or its namespace, or its kind) is not there."""


class ConflictError(EngineError):
    """Another manager holds fields that should be set, or the object changed since it was read."""

    @property
    def holds_fields(self) -> bool:
        """Whether it is about fields of another manager."""
        return self.diagnostics[0].code == "k8s-conflict"


class MadeAnewError(EngineError):
    """The object is not there, and the server does not create it from a manifest that names a version."""


class UnknownKindError(EngineError):
    """The cluster does not serve this kind of object, as of a custom resource whose definition is not installed."""


class InvalidError(EngineError):
    """The object, or its change, breaks a rule of its kind. `words` are the server's, or what may be told of them."""

    def __init__(self, *diagnostics: Diagnostic, words: str = "", says_unchangeable: bool = False) -> None:
        super().__init__(*diagnostics)
        self.words = words
        self.says_unchangeable = says_unchangeable
        """Whether the words speak of a change that is not possible, rather than of a value that is wrong."""


class NoApiError(EngineError):
    """What came is no answer of an API server to this request: a fault of the way, which proves nothing."""


class ForbiddenError(EngineError):
    """The user may not do it, or something that the cluster asks before each write says no."""


class ExpiredError(TransientError):
    """The server does not keep any more what a list or watch would go on from."""


class NotStartedError(TransientError):
    """A container has not started, so it has no log yet."""


def refusal(request: Request, code: int, body: bytes, context: str, *, retry_after: float = 0.0) -> EngineError:
    """The error for an answer of status `code` >= 400; `retry_after`: the seconds that it asks to wait."""
    status = _status(body)
    words = _words(request, status)
    found = f"{request.name}: {words}" if words else f"{request.name}: HTTP {code}"
    match code:
        case 400 if "is waiting to start" in words:
            return NotStartedError(Diagnostic("k8s-not-started", "the container has not started", found=found))
        case 401:
            return _unauthorized(found, context)
        case 403:
            return _forbidden(request, found, status)
        case 404 | 410:
            return _absent(request, code, status, found, context)
        case 409:
            return _conflict(request, found, status)
    if code < _BAD_REQUEST:
        return no_api(request, context)
    if code >= _BAD_REQUEST and _NO_VERSION in words:
        return MadeAnewError(Diagnostic("k8s-not-found", "the cluster does not have this object", found=found))
    if code == _TOO_MANY or (code >= _SERVER_FAULT and not _SCHEMA_FAULT.search(str(status.get("message") or ""))):
        title = "the API server cannot answer now"
        return TransientError(Diagnostic("k8s-unavailable", title, found=found), retry_after=retry_after)
    return _invalid(request, code, status, found)


def unknown_kind(api_version: str, kind: str) -> UnknownKindError:
    """The error for a kind that is not served."""
    title = "the cluster does not serve this kind of object"
    fix = "install what defines the kind, or correct apiVersion and kind"
    return UnknownKindError(Diagnostic("k8s-unknown-kind", title, found=f"{kind} of {api_version}", fix=fix))


def no_api(request: Request, context: str, found: str = "an answer that is no JSON object") -> NoApiError:
    """The error for an answer that no API server gives: a login page, a redirect, a list that was cut."""
    return NoApiError(
        Diagnostic(
            "k8s-no-api",
            "what answers is not a Kubernetes API server",
            found=f"{request.name}: {found}",
            fix=f"check the server of context {context}, and the proxy in between",
        )
    )


def beyond_limits(request: Request, words: str, connection: Connection) -> EngineError:
    """The error for an answer that goes on, in time or size."""
    return EngineError(
        Diagnostic(
            "k8s-answer-unbounded",
            "an answer of the API server has no end",
            found=f"{request.name}: {connection.server}: {words}",
            fix=f"check the server of context {connection.context}, and the proxy in between",
        )
    )


def unreachable(request: Request, error: Exception, connection: Connection) -> EngineError:
    """The error for a call that got no answer."""
    cause, context = _root(error), connection.context
    place = f"{connection.server}, through the proxy {connection.proxy}" if connection.proxy else connection.server
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return EngineError(
            Diagnostic(
                "k8s-tls",
                "the connection to the API server cannot be trusted",
                found=f"{request.name}: {place}: {_tls_words(cause)}",
                why="another machine could answer in the cluster's place",
                fix=f"put the cluster's certificate authority and address into context {context} of the kubeconfig",
            )
        )
    return TransientError(
        Diagnostic(
            "k8s-unreachable",
            "the API server cannot be reached",
            found=f"{request.name}: {place}: {_network_words(error, cause)}",
            fix=_WAY_THROUGH if connection.proxy else _cluster_runs(context),
        )
    )


def _cluster_runs(context: str) -> str:
    return f"check that the cluster runs and that the server of context {context} is its address"


def _status(body: bytes) -> Mapping[str, Any]:
    """The Status object of an answer; anything else (a proxy's page, plain text) counts as its message.

    What is not of the type that the API gives it is left out.
    """
    try:
        status = parse_foreign(body)
    except ValueError:
        return {"message": body[:200].decode(errors="replace").strip()}
    if not isinstance(status, dict):
        return {}
    details = status.get("details")
    return _texts(status) | ({"details": _details(details)} if isinstance(details, dict) else {})


def _details(details: Mapping[str, Any]) -> Mapping[str, Any]:
    causes = details.get("causes")
    whole = causes if isinstance(causes, list) else []
    return {**_texts(details), "causes": [_texts(cause) for cause in whole if isinstance(cause, dict)]}


def _texts(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if isinstance(value, str)}


def _causes(status: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    causes: Sequence[Mapping[str, str]] = status.get("details", {}).get("causes", ())
    return causes


def _words(request: Request, status: Mapping[str, Any]) -> str:
    message = str(status.get("message") or "")
    if request.kind != "Secret" or status.get("reason") in _QUOTES_NO_VALUE or _RULES.search(message):
        return message or str(status.get("reason") or "")
    fields = ", ".join(sorted({str(cause["field"]) for cause in _causes(status) if cause.get("field")}))
    reason = status.get("reason") or "refused"
    return (
        f"{reason} ({fields})" if fields else f"{reason} (the server's words are withheld, they may quote the secret)"
    )


def _unauthorized(found: str, context: str) -> EngineError:
    return EngineError(
        Diagnostic(
            "k8s-unauthorized",
            "the cluster does not accept this kubeconfig",
            found=f"{found}, with context {context}",
            why="its token or client certificate is expired, revoked, or of another cluster",
            fix=f"log in to the cluster again, so that context {context} gets new credentials",
        )
    )


def _forbidden(request: Request, found: str, status: Mapping[str, Any]) -> EngineError:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status)):
        title = "the namespace is being removed"
        return TransientError(Diagnostic("k8s-namespace-terminating", title, found=found))
    message = str(status.get("message") or "")
    if any(f'User "{nobody}"' in message for nobody in _NOBODYS):
        return _nobody(found)
    missing = missing_permission(message)
    return ForbiddenError(
        Diagnostic(
            "k8s-forbidden",
            "the cluster does not allow this",
            found=found,
            why=missing.told if missing else "",
            fix=missing.remedy if missing else f"ask the cluster's administrator to allow you to {request.name}",
        )
    )


def _nobody(found: str) -> EngineError:
    """Rights for whom the cluster does not know would be everybody's."""
    return EngineError(
        Diagnostic(
            "k8s-anonymous",
            "the cluster does not know who asks",
            found=found,
            why="the kubeconfig's credentials did not reach it, or it takes them for nobody's",
            fix="log in to the cluster again, or name another user in the context; grant nothing to anonymous",
        )
    )


def _invalid(request: Request, code: int, status: Mapping[str, Any], found: str) -> EngineError:
    message = str(status.get("message") or "")
    if code == _BAD_REQUEST and request.is_dry_run and _NO_DRY_RUN.search(message):
        return ForbiddenError(Diagnostic("k8s-no-dry-run", "the cluster cannot foresee this", found=found))
    title, fix = "the API server refuses this object", f"correct the fields of {request.subject}"
    unchangeable = code == _INVALID and bool(_UNCHANGEABLE.search(message))
    told = Diagnostic("k8s-invalid", title, found=found, fix=fix)
    return InvalidError(told, words=_words(request, status), says_unchangeable=unchangeable)


def _absent(request: Request, code: int, status: Mapping[str, Any], found: str, context: str) -> EngineError:
    """Something is not there, or not any more, where the server says so itself; else a fault of the way."""
    if code == _NOT_FOUND and _is_not_found(request, status):
        return _not_found(found, status)
    if _is_expired(code, status):
        return ExpiredError(Diagnostic("k8s-expired", "a list or watch cannot go on", found=found))
    return no_api(request, context, f"HTTP {code}, and no Status that says which object is not there")


def _is_not_found(request: Request, status: Mapping[str, Any]) -> bool:
    """Whether the answer proves an absence: a Status that names the object asked for, or the namespace around it."""
    details = status.get("details")
    if status.get("kind") != "Status" or status.get("reason") != "NotFound" or not isinstance(details, Mapping):
        return False
    return details.get("name") == request.object_name or details.get("kind") == "namespaces"


def _is_expired(code: int, status: Mapping[str, Any]) -> bool:
    return code == _GONE and status.get("kind") == "Status" and status.get("reason") in {"Expired", "Gone"}


def _not_found(found: str, status: Mapping[str, Any]) -> ObjectGoneError:
    details = status.get("details")
    if isinstance(details, Mapping) and details.get("kind") == "namespaces":
        title, fix = "the namespace does not exist", "declare it with k8s_object, as a task that this one needs"
        return ObjectGoneError(Diagnostic("k8s-no-such-namespace", title, found=found, fix=fix))
    return ObjectGoneError(Diagnostic("k8s-not-found", "the cluster does not have this object", found=found))


def _conflict(request: Request, found: str, status: Mapping[str, Any]) -> EngineError:
    if status.get("reason") == "AlreadyExists":
        return ObjectExistsError(Diagnostic("k8s-exists", "the object exists already", found=found))
    held = [cause for cause in _causes(status) if cause.get("reason") == "FieldManagerConflict"]
    if not held:
        return ConflictError(Diagnostic("k8s-changed", "the object changed meanwhile", found=found, fix="run again"))
    return ConflictError(
        Diagnostic(
            "k8s-conflict",
            "another manager holds fields of this object",
            found=f"{request.name}: {_holders(held)}",
            why="taking them over silently would undo someone else's change",
            fix="leave these fields out, or take them over: ppmlctl apply --force-conflicts",
        )
    )


def _holders(causes: Sequence[Mapping[str, Any]]) -> str:
    """For each manager `"kubectl" holds .data.a, .data.b`. The server says `conflict with "kubectl" using v1`."""
    fields: dict[str, list[str]] = {}
    for cause in causes:
        quoted = re.search(r'"(.*?)"', str(cause.get("message") or ""))
        fields.setdefault(quoted[1] if quoted else "another manager", []).append(str(cause.get("field") or "?"))
    return "; ".join(f'"{manager}" holds {", ".join(sorted(held))}' for manager, held in sorted(fields.items()))


def _root(error: Exception) -> Exception:
    """What lies under urllib3's wrappers, which hold it as their last argument or as their cause."""
    while isinstance(error, urllib3.exceptions.HTTPError):
        inner = error.args[-1] if error.args and isinstance(error.args[-1], Exception) else error.__cause__
        if not isinstance(inner, Exception):
            break
        error = inner
    return error


def _tls_words(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", None) or error.reason or str(error)


def _network_words(error: Exception, cause: Exception) -> str:
    if _TUNNEL.match(str(cause)):
        return str(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return type(cause).__name__
