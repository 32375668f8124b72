"""Who one is at a cluster: the user of a kubeconfig, and whom it acts as.

Every way in is either taken as kubectl takes it or refused; none is passed over, for the rest could be another, or a
stronger, identity.
Source: client-go, tools/clientcmd (validation.go, client_config.go) and transport/round_trippers.go.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from urllib3 import HTTPHeaderDict

from ppmlctl.clients.kubernetes.credential_plugin import CredentialPlugin
from ppmlctl.clients.kubernetes.kubeconfig_files import Entry, invalid
from ppmlctl.diagnostics import EngineError

_KNOWN = frozenset(
    {
        "as",
        "as-groups",
        "as-uid",
        "as-user-extra",
        "auth-provider",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "exec",
        "extensions",
        "password",
        "token",
        "tokenFile",
        "username",
    }
)
_ODD_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ODD_IN_NAMES = re.compile(r"[^A-Za-z0-9!#$&'*+\-.^_`|~]")
"""Of a header's name: what is written `%XX` there."""
_SKEW = timedelta(seconds=10)

Authorization = Callable[[], str]
"""The header's value; empty for none. Asked for at each request."""


@dataclass(frozen=True)
class Identity:
    """What is shown to the server. `certificate` and `key` are PEM, empty where there are none."""

    authorization: Authorization = field(repr=False)
    acting_as: HTTPHeaderDict = field(repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)

    def headers(self) -> HTTPHeaderDict:
        """The headers of one request. Safe for threads."""
        headers = self.acting_as.copy()
        if authorization := self.authorization():
            headers["authorization"] = authorization
        return headers


def nobody() -> Identity:
    """Shows nothing, as to a server on this machine that asks for nothing (`kubectl proxy`)."""
    return Identity(lambda: "", HTTPHeaderDict())


def identity_of(user: Entry, cluster: Entry, *, confidential: bool) -> Identity:
    """The user's identity at a cluster. Where the way is not `confidential` (plain HTTP), nothing secret is shown.

    Raises EngineError (k8s-kubeconfig-invalid, k8s-user-unsupported, those of CredentialPlugin).
    """
    user.allow_only(_KNOWN)
    _refuse_provider(user)
    acting_as = _acting_as(user)
    _refuse_two_ways(user)
    if not confidential:
        return Identity(lambda: "", acting_as)
    certificate, key = _certificate(user)
    if "tokenFile" in user.fields:
        return Identity(_TokenFile(user), acting_as, certificate, key)
    if token := user.text("token").strip():
        return Identity(_always(user, "token", f"Bearer {token}"), acting_as, certificate, key)
    if name := user.text("username"):
        basic = base64.b64encode(f"{name}:{user.text('password')}".encode()).decode()
        return Identity(lambda: f"Basic {basic}", acting_as, certificate, key)
    if "exec" in user.fields:
        plugin = _Plugin(user, cluster)
        return Identity(plugin, acting_as, plugin.certificate, plugin.key)
    if not certificate:
        raise user.wrong(
            "it has no credentials", fix="log in to the cluster again, or name another user in the context"
        )
    return Identity(lambda: "", acting_as, certificate, key)


def _refuse_provider(user: Entry) -> None:
    if "auth-provider" in user.fields:
        raise invalid(
            f"{user}: `auth-provider` is not offered",
            user.at("auth-provider"),
            "get credentials by `exec`: kubelogin for OIDC and Azure, gke-gcloud-auth-plugin for Google",
            code="k8s-user-unsupported",
        )


def _refuse_two_ways(user: Entry) -> None:
    """Of those that go into one header, or into one handshake, only one can count."""
    ways = {"token": ("token", "tokenFile"), "password": ("username", "password"), "program": ("exec",)}
    found = [(way, name) for way, names in ways.items() for name in names if name in user.fields]
    if len({way for way, _ in found}) > 1:
        names = ", ".join(f"`{name}`" for _, name in found)
        raise user.wrong(f"more than one way to log in: {names}", found[-1][1], fix="keep one of them")
    if "exec" in user.fields and {"client-certificate", "client-certificate-data"} & user.fields.keys():
        raise user.wrong("both `exec` and a client certificate are given", "exec", fix="keep one of them")
    if "password" in user.fields and "username" not in user.fields:
        raise user.wrong("`password` without `username`", "password", fix="give both")


def _certificate(user: Entry) -> tuple[bytes, bytes]:
    certificate, key = user.content("client-certificate"), user.content("client-key")
    if bool(certificate) != bool(key):
        given, missing = ("client-certificate", "client-key") if certificate else ("client-key", "client-certificate")
        place = f"{given}-data" if f"{given}-data" in user.fields else given
        raise user.wrong(f"`{given}` without `{missing}`", place, fix="give both")
    return certificate, key


def _acting_as(user: Entry) -> HTTPHeaderDict:
    """The headers that impersonate another user, none where the kubeconfig asks for none."""
    name, uid = user.text("as"), user.text("as-uid")
    groups, extra = user.texts("as-groups"), user.lists("as-user-extra")
    if not name and (uid or groups or extra):
        place = next(one for one in ("as-uid", "as-groups", "as-user-extra") if one in user.fields)
        raise user.wrong(f"`{place}` without `as`", place, fix="say as whom: `as: USER`")
    headers = HTTPHeaderDict()
    for field_name, header, values in (
        ("as", "Impersonate-User", [name] if name else []),
        ("as-uid", "Impersonate-Uid", [uid] if uid else []),
        ("as-groups", "Impersonate-Group", groups),
        *(("as-user-extra", f"Impersonate-Extra-{_header_name(key)}", values) for key, values in extra.items()),
    ):
        for value in values:
            headers.add(header, _header_value(user, field_name, value))
    return headers


def _header_name(key: str) -> str:
    return _ODD_IN_NAMES.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), key)


def _header_value(user: Entry, name: str, value: str) -> str:
    """The value so that its UTF-8 is what is sent. Raises EngineError for what no header can hold."""
    if _ODD_IN_HEADERS.search(value):
        raise user.wrong(f"`{name}` holds a control character", name)
    return value.encode().decode("latin-1")


def _always(user: Entry, name: str, value: str) -> Authorization:
    checked = _header_value(user, name, value)
    return lambda: checked


class _TokenFile:
    """A token in a file, which may be another one at the next request (a projected service account's)."""

    def __init__(self, user: Entry) -> None:
        self._user = user
        self._last = ""
        self()  # what is wrong with it is said before anything is sent

    def __call__(self) -> str:
        try:
            token = self._user.file("tokenFile").decode(errors="replace").strip()
            if not token:
                raise self._user.wrong("`tokenFile` is empty", "tokenFile", fix="log in to the cluster again")
            self._last = _header_value(self._user, "tokenFile", f"Bearer {token}")
        except EngineError:
            if not self._last:
                raise
        return self._last


class _Plugin:
    """What a credential plugin answers, asked for anew when it says that a token has expired."""

    def __init__(self, user: Entry, cluster: Entry) -> None:
        self._user = user
        self._lock = threading.Lock()
        try:
            self._plugin = CredentialPlugin.of(user.fields["exec"], _told(cluster), str(user.folder))
        except ValueError as error:
            raise user.wrong(str(error), "exec") from None
        self._take(self._plugin.credential())

    def __call__(self) -> str:
        with self._lock:
            if self._until is not None and datetime.now(UTC) + _SKEW >= self._until:
                self._take(self._plugin.credential())
            return self._value

    def _take(self, credential: Mapping[str, str]) -> None:
        token = credential.get("token", "").strip()
        self._value = _header_value(self._user, "exec", f"Bearer {token}") if token else ""
        self.certificate = credential.get("clientCertificateData", "").encode()
        self.key = credential.get("clientKeyData", "").encode()
        try:
            until = credential.get("expirationTimestamp")
            self._until = _instant(until) if until else None
        except ValueError:
            raise self._plugin.useless("its expirationTimestamp is no time") from None


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(cluster: Entry) -> Mapping[str, object]:
    """What a plugin learns of the cluster, where it asks: the fields of an ExecCredential's `spec.cluster`."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression", "extensions")
    told = {name: cluster.fields[name] for name in names if name in cluster.fields}
    if authority := cluster.content("certificate-authority"):
        told["certificate-authority-data"] = base64.b64encode(authority).decode()
    return told
