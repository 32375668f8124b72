"""Whom one asks: the cluster of a kubeconfig, by what its server is trusted, and the way to it.

Source: client-go, tools/clientcmd (validation.go) and transport/transport.go.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from ppmlctl.clients.kubernetes.kubeconfig_files import Entry
from ppmlctl.clients.kubernetes.user import Identity
from ppmlctl.clients.proxies import Proxy, proxy_of

POOL_SIZE = 16
"""Connections kept open: twice the executor's eight workers, as a waiting one holds a watch beside its calls."""

_KNOWN = frozenset(
    {
        "certificate-authority",
        "certificate-authority-data",
        "disable-compression",  # nothing here asks for compressed answers
        "extensions",
        "insecure-skip-tls-verify",
        "proxy-url",
        "server",
        "tls-server-name",
    }
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Server:
    """One API server, and the way to it. `authority` is PEM, empty for the machine's own authorities."""

    entry: Entry
    url: str
    proxy: Proxy | None
    authority: bytes = field(repr=False)

    @property
    def speaks_tls(self) -> bool:
        """Whether what is sent is seen by nobody on the way."""
        return self.url.startswith("https:")

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, as `kubectl proxy` is."""
        return urlsplit(self.url).hostname in _LOOPBACK

    @property
    def is_forwarded(self) -> bool:
        """Whether a proxy reads the requests and sends its own, in which headers may be joined."""
        return self.proxy is not None and not self.speaks_tls and not self.proxy.scheme.startswith("socks5")

    @property
    def is_verified(self) -> bool:
        """Whether only the meant server can answer."""
        if self.speaks_tls:
            return not self.entry.flag("insecure-skip-tls-verify")
        return self.is_here

    def pool(self, identity: Identity) -> urllib3.PoolManager:
        """Connections to it. Raises EngineError for certificates and keys that are none."""
        if not self.is_verified:
            # The user's kubeconfig asks for it and `is_verified` tells; a warning per request would say no more.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        options: dict[str, Any] = {
            "maxsize": POOL_SIZE,
            "ssl_context": self._tls(identity) if self.speaks_tls else None,
            "server_hostname": self.entry.text("tls-server-name") or None,
        }
        if self.proxy is None:
            return urllib3.PoolManager(**options)
        if self.proxy.scheme.startswith("socks5"):
            from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - few go this way

            return SOCKSProxyManager(self.proxy.asked, **options)
        user = urllib3.make_headers(proxy_basic_auth=self.proxy.user) if self.proxy.user else None
        return urllib3.ProxyManager(self.proxy.url, proxy_headers=user, **options)

    def _tls(self, identity: Identity) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # As in Go: any certificate that is trusted ends the chain, also one that no root stands above.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if self.entry.flag("insecure-skip-tls-verify"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif self.authority:
            self._trust(context)
        else:
            context.load_default_certs()
        if identity.certificate:
            try:
                _show(context, identity)
            except (ssl.SSLError, ValueError):
                raise self.entry.wrong("the user's client certificate and key do not fit, or are no PEM") from None
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(cadata=self.authority.decode("ascii", errors="ignore"))
        except (ssl.SSLError, ValueError):
            given = [name for name in self.entry.fields if name.startswith("certificate-authority")]
            raise self.entry.wrong(f"`{given[0]}` holds no certificate", given[0]) from None


def server_of(cluster: Entry) -> Server:
    """The server that a cluster's entry names. Raises EngineError (k8s-kubeconfig-invalid)."""
    cluster.allow_only(_KNOWN)
    url, authority = _url(cluster), cluster.content("certificate-authority")
    if authority and cluster.flag("insecure-skip-tls-verify"):
        fix = "take out insecure-skip-tls-verify"
        raise cluster.wrong("an authority is given, and not to be asked", "insecure-skip-tls-verify", fix=fix)
    cluster.text("tls-server-name")
    return Server(cluster, url, _proxy(cluster, url), authority)


def _url(cluster: Entry) -> str:
    url = cluster.text("server")
    if not url:
        raise cluster.wrong("it has no server", fix="say where it is: `server: https://HOST:PORT`")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        usable = False
    if not usable:
        raise cluster.wrong("its server is no http or https URL", "server", fix="server: https://HOST:PORT")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _proxy(cluster: Entry, url: str) -> Proxy | None:
    given = cluster.text("proxy-url")
    if not given:
        return proxy_of(url)
    found = "it has no scheme"
    try:
        if "://" in given:
            return Proxy.of(given, f"proxy-url of {cluster}")
    except ValueError as error:
        found = str(error)
    raise cluster.wrong(f"`proxy-url`: {found}", "proxy-url", fix="proxy-url: socks5://HOST:PORT")


def _show(context: ssl.SSLContext, identity: Identity) -> None:
    """Loads certificate and key, which OpenSSL takes from files alone: private ones, gone at once."""
    with tempfile.TemporaryDirectory(prefix="ppmlctl-") as folder:  # of mode 0700
        files = [Path(folder, name) for name in ("certificate", "key")]
        for path, content in zip(files, (identity.certificate, identity.key), strict=True):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
        # Without a password at hand, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(files[0], files[1], password="")
