"""From a kubeconfig to an open connection: server, identity and trust, as kubectl reads them.

Read here and not by the official client, which passes over what it does not know: it goes on as nobody where a user is
missing, and as the stronger identity where one is to act as another. `docs/kubeconfig.md` has the whole table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from ppmlctl.clients.kubernetes.cluster import Server, server_of
from ppmlctl.clients.kubernetes.kubeconfig_files import Entry, Kubeconfig, read_kubeconfig
from ppmlctl.clients.kubernetes.user import Identity, identity_of, nobody
from ppmlctl.clients.proxies import Proxy
from ppmlctl.diagnostics import Diagnostic, EngineError

_CONTEXT = frozenset({"cluster", "extensions", "namespace", "user"})


@dataclass(frozen=True)
class Connection:
    """One server and one identity. Safe for threads."""

    server: str
    context: str
    default_namespace: str
    verifies_server: bool
    """False where the kubeconfig says `insecure-skip-tls-verify`, or plain HTTP to another machine."""
    proxy: Proxy | None
    """What it goes through."""
    pool: urllib3.PoolManager = field(repr=False)
    _identity: Identity = field(repr=False)

    @property
    def acting_as(self) -> str:
        """Whom the kubeconfig impersonates, with the groups; empty where it is the user itself."""
        asked = self._identity.acting_as
        groups = asked.getlist("Impersonate-Group")
        of = f" of {', '.join(groups)}" if groups else ""
        return f"{asked['Impersonate-User']}{of}" if "Impersonate-User" in asked else ""

    def credentials(self) -> urllib3.HTTPHeaderDict:
        """The headers that name the user, renewed where the kubeconfig's plugin says they have expired."""
        return self._identity.headers()


def connect(kubeconfig: Path | None = None, context: str | None = None) -> Connection:
    """The connection a kubeconfig describes; nothing is sent yet.

    Without `kubeconfig` the environment's KUBECONFIG (several files are merged, as kubectl does) or ~/.kube/config;
    without `context` its current one. Raises EngineError (k8s-no-kubeconfig, k8s-no-context, k8s-kubeconfig-invalid,
    k8s-user-unsupported, those of the credential plugin) and InputError (proxy-invalid).
    """
    files = str(kubeconfig or os.environ.get("KUBECONFIG") or Path("~/.kube/config").expanduser())
    _require_file(files)
    merged = read_kubeconfig(files)
    active = _context(merged, context)
    server = server_of(_named(active, "cluster", merged.clusters))
    identity = _identity(active, merged, server)
    return Connection(
        server=server.url,
        context=active.name,
        default_namespace=active.text("namespace") or "default",
        verifies_server=server.is_verified,
        proxy=server.proxy,
        pool=server.pool(identity),
        _identity=identity,
    )


def _identity(context: Entry, merged: Kubeconfig, server: Server) -> Identity:
    if not server.speaks_tls and server.is_here and "user" not in context.fields:
        return nobody()
    user = _named(context, "user", merged.users)
    identity = identity_of(user, server.entry, confidential=server.speaks_tls)
    if identity.acting_as and server.is_forwarded:
        raise user.wrong("`as` through a proxy that sees it needs a server with https", "as", fix="reach it by https")
    return identity


def _named(context: Entry, kind: str, known: Mapping[str, Entry]) -> Entry:
    """The cluster or user that the context names. Without one, the server would be asked as nobody."""
    name = context.text(kind)
    if not name:
        raise context.wrong(f"it names no {kind}", fix=f"say which: `{kind}: NAME`")
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise context.wrong(
            f"there is no {kind} {name!r}; there is: {there}",
            kind,
            fix="name one of them, or add the file that has it to KUBECONFIG",
        )
    return known[name]


def _require_file(files: str) -> None:
    if any(Path(file).exists() for file in files.split(os.pathsep) if file):
        return
    raise EngineError(
        Diagnostic(
            "k8s-no-kubeconfig",
            "no kubeconfig to reach a cluster with",
            found=f"{files} does not exist",
            fix="set KUBECONFIG to the file that your cluster's administrator gave you, or say `target: sandbox`",
        )
    )


def _context(merged: Kubeconfig, wanted: str | None) -> Entry:
    name, contexts = wanted or merged.current_context, merged.contexts
    if name in contexts:
        contexts[name].allow_only(_CONTEXT)
        return contexts[name]
    found = f"{merged.files} has no context {name!r}" if name else f"{merged.files} has no current context"
    raise EngineError(
        Diagnostic(
            "k8s-no-context",
            "the kubeconfig has no such context",
            found=f"{found}; it has: {', '.join(sorted(contexts)) or 'none'}",
            fix="name one of them in cluster.context" if contexts else "use another kubeconfig",
        )
    )
