"""From a kubeconfig to an open connection: server, identity and trust, as the official client reads them."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, kube_config
from kubernetes.config.dateutil import parse_rfc3339
from yaml import YAMLError  # type: ignore[import-untyped]  # only its error is named; the official client brings it

from ppmlctl.clients.kubernetes.credential_plugin import CredentialPlugin
from ppmlctl.diagnostics import Diagnostic, EngineError

POOL_SIZE = 16
"""Connections kept open: twice the executor's eight workers, as a waiting one holds a watch beside its calls."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What the library raises on a kubeconfig whose shape it did not expect."""


@dataclass(frozen=True)
class Connection:
    """One server and one identity. Safe for threads."""

    server: str
    context: str
    default_namespace: str
    verifies_server: bool
    """False where the kubeconfig says `insecure-skip-tls-verify`, or plain HTTP to another machine."""
    pool: urllib3.PoolManager = field(repr=False)
    _configuration: Configuration = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def credentials(self) -> Mapping[str, str]:
        """The headers that name the user, renewed where the kubeconfig's plugin says they have expired."""
        with self._lock:
            settings: dict[str, Any] = dict(self._configuration.auth_settings())
        return {setting["key"]: setting["value"] for setting in settings.values() if setting["value"]}


def connect(kubeconfig: Path | None = None, context: str | None = None) -> Connection:
    """The connection a kubeconfig describes; nothing is sent yet.

    Without `kubeconfig` the environment's KUBECONFIG (several files are merged, as kubectl does) or ~/.kube/config;
    without `context` its current one. Raises EngineError (k8s-no-kubeconfig, k8s-no-context, k8s-kubeconfig-invalid).
    """
    files = str(kubeconfig or os.environ.get("KUBECONFIG") or Path("~/.kube/config").expanduser())
    _require_file(files)
    active = _context(files, context)
    configuration = _configuration(files, active["name"])
    if not configuration.verify_ssl:
        # The user's kubeconfig asks for it and `verifies_server` tells; a warning per request would say no more.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Connection(
        server=configuration.host,
        context=active["name"],
        default_namespace=active.get("namespace") or "default",
        verifies_server=_verifies(configuration),
        pool=RESTClientObject(configuration).pool_manager,
        _configuration=configuration,
    )


def _verifies(configuration: Configuration) -> bool:
    place = urlsplit(configuration.host)
    if place.scheme == "https":
        return bool(configuration.verify_ssl)
    return place.hostname in _LOOPBACK  # as of `kubectl proxy`


def _require_file(files: str) -> None:
    if any(Path(file).is_file() for file in files.split(os.pathsep)):
        return
    raise EngineError(
        Diagnostic(
            "k8s-no-kubeconfig",
            "no kubeconfig to reach a cluster with",
            found=f"{files} does not exist",
            fix="set KUBECONFIG to the file that your cluster's administrator gave you, or say `target: sandbox`",
        )
    )


def _context(files: str, wanted: str | None) -> dict[str, Any]:
    contexts, current = _contexts(files)
    name = wanted or current
    if name in contexts:
        return contexts[name]
    found = f"{files} has no context {name!r}" if name else f"{files} has no current context"
    raise EngineError(
        Diagnostic(
            "k8s-no-context",
            "the kubeconfig has no such context",
            found=f"{found}; it has: {', '.join(sorted(contexts)) or 'none'}",
            fix="name one of them in cluster.context" if contexts else "use another kubeconfig",
        )
    )


def _contexts(files: str) -> tuple[dict[str, dict[str, Any]], str]:
    """All contexts by name, and the name of the current one; empty where there is none."""
    try:
        merged = kube_config.KubeConfigMerger(files).config  # type: ignore[no-untyped-call]  # this part of the library is untyped
        content = merged.value if merged else {}
        contexts = {
            entry["name"]: {"name": entry["name"], **entry["context"].value} for entry in content.get("contexts") or ()
        }
    except (ConfigException, YAMLError, OSError, *_MALFORMED) as error:
        raise _invalid(files, error) from None
    return contexts, content.get("current-context") or ""


def _configuration(files: str, context: str) -> Configuration:
    configuration = Configuration()
    configuration.connection_pool_maxsize = POOL_SIZE
    try:
        merged = kube_config.KubeConfigMerger(files).config  # type: ignore[no-untyped-call]  # as above
        loader = _Loader(merged, active_context=context, config_base_path=None)  # type: ignore[no-untyped-call]  # as above
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]  # as above
    except (ConfigException, YAMLError, OSError, *_MALFORMED) as error:
        raise _invalid(files, error) from None
    return configuration


class _Loader(kube_config.KubeConfigLoader):
    """The official client's, but for the credential plugin."""

    def _load_from_exec_plugin(self) -> bool:
        """Called at the beginning, and again when a token has expired."""
        user, cluster = self._user, self._cluster
        if user is None or cluster is None or not user.safe_get("exec"):
            return False
        folder = self._get_base_path(cluster.path)  # type: ignore[no-untyped-call]  # as above
        credential = CredentialPlugin.of(user.safe_get("exec"), cluster.value, folder).credential()
        if "token" in credential:
            self.token = f"Bearer {credential['token']}"
        else:
            self.cert_file = _private_file(credential, "clientCertificateData")
            self.key_file = _private_file(credential, "clientKeyData")
        if "expirationTimestamp" in credential:
            self.expiry = parse_rfc3339(credential["expirationTimestamp"])  # type: ignore[no-untyped-call]  # as above
        return True


def _private_file(credential: Mapping[str, str], key: str) -> str:
    """A file of mode 0600 with that text, which the official client takes away at the end of the process."""
    content = kube_config.FileOrData(credential, None, data_key_name=key, base64_file_content=False)  # type: ignore[no-untyped-call]  # as above
    return str(content.as_file())  # type: ignore[no-untyped-call]  # as above


def _invalid(files: str, error: Exception) -> EngineError:
    # A YAML error quotes the line it stumbled over, which may be a token: only its place is told.
    mark = getattr(error, "problem_mark", None)
    words = f"no valid YAML at line {mark.line + 1}, column {mark.column + 1}" if mark else _first_line(error)
    return EngineError(
        Diagnostic(
            "k8s-kubeconfig-invalid",
            "the kubeconfig cannot be used",
            found=f"{files}: {words}",
            fix="kubectl config view shows what kubectl makes of it",
        )
    )


def _first_line(error: Exception) -> str:
    # The library quotes whole entries, tokens and keys in them, as part of a path: `FILE/{'name': 'admin', ...}/user`.
    words = re.sub(r"/\{(?:'name': '([^']*)')?.*", _entry_named, str(error), flags=re.DOTALL)
    return words.partition("\n")[0] or type(error).__name__


def _entry_named(quoted: re.Match[str]) -> str:
    return f", entry {quoted[1]}" if quoted[1] else ", one of its entries"
