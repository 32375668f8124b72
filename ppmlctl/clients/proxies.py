"""Through which proxy a server is reached: the environment's answer as Go's programs read it, so kubectl and docker.

HTTPS_PROXY or HTTP_PROXY by the server's scheme, unless NO_PROXY names the host; ALL_PROXY counts for nobody. This
machine is never asked through a proxy. Every client asks here: Kubernetes, Docker, EHSM, attestation service and PCCS.
Source: golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from ppmlctl.diagnostics import Diagnostic, InputError

SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}
_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Proxy:
    """Where it is, with who asks; and who named it, for messages."""

    url: str = field(repr=False)
    source: str

    @classmethod
    def of(cls, url: str, source: str) -> Proxy:
        """The proxy at a URL; without a scheme it speaks HTTP. Raises ValueError, which quotes nothing of it."""
        whole = url if "://" in url else f"http://{url}"
        parts = _split(whole)
        if parts is None or parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError(f"it is no URL with one of the schemes {', '.join(SCHEMES)}")
        return cls(whole, source)

    @property
    def scheme(self) -> str:
        """`http`, `https`, `socks5` or `socks5h`; the last two are one: names are resolved by the proxy."""
        return urlsplit(self.url).scheme

    @property
    def user(self) -> str:
        """`USER:PASSWORD`; empty where nobody is named."""
        parts = urlsplit(self.url)
        if parts.username is None:
            return ""
        return f"{unquote(parts.username)}:{unquote(parts.password or '')}"

    @property
    def asked(self) -> str:
        """The URL as Python's libraries read it: names that a SOCKS proxy is asked for are its own to resolve."""
        scheme, _, rest = self.url.partition("://")
        return f"{'socks5h' if self.scheme.startswith('socks5') else scheme}://{rest}"

    def __str__(self) -> str:
        """For messages, without who asks."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} ({self.source})"


@dataclass(frozen=True)
class Way:
    """A server's URL, and the proxy that leads there; None where it is reached directly."""

    url: str
    proxy: Proxy | None = None

    def __str__(self) -> str:
        """For messages."""
        return f"{self.url}, through the proxy {self.proxy}" if self.proxy else self.url

    @property
    def remedy(self) -> str:
        """What to do where nothing answers through a proxy; empty where none stands between."""
        host = urlsplit(self.url).hostname
        return f"check that the proxy runs and leads there, or name {host} in NO_PROXY" if self.proxy else ""


def proxy_of(url: str, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for a server's URL; None where it is reached directly.

    Raises InputError (proxy-invalid) for a variable that names none.
    """
    variables = os.environ if environment is None else environment
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return None
    name, value = _variable(variables, f"{parts.scheme.upper()}_PROXY")
    if not value or not _goes_through(parts.hostname, parts.port or _PORTS[parts.scheme], variables):
        return None
    try:
        return Proxy.of(value, name)
    except ValueError as error:
        title, fix = "a variable names no proxy", f"{name}=http://HOST:PORT, or unset it"
        raise InputError(Diagnostic("proxy-invalid", title, found=f"{name}: {error}", fix=fix)) from None


def _variable(variables: Mapping[str, str], name: str) -> tuple[str, str]:
    """Its name and value, in capitals before small letters."""
    return next(((one, variables[one]) for one in (name, name.lower()) if variables.get(one)), (name, ""))


def _goes_through(host: str, port: int, variables: Mapping[str, str]) -> bool:
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    exceptions = _variable(variables, "NO_PROXY")[1].lower().split(",")
    return not any(_excepts(one.strip(), host, address, port) for one in exceptions)


def _excepts(exception: str, host: str, address: _IpAddress | None, port: int) -> bool:
    """Whether a member of NO_PROXY means the host: `*`, a network, or an address or domain, perhaps with a port."""
    if exception in {"", "*"}:
        return bool(exception)
    if "/" in exception:
        return address is not None and _is_in(address, exception)
    name, only = _with_port(exception)
    if only not in {"", str(port)}:
        return False
    if (excepted := _address(name)) is not None:
        return excepted == address
    domain = name.removeprefix("*")
    return host.endswith(domain) if domain.startswith(".") else host == domain or host.endswith(f".{domain}")


def _with_port(exception: str) -> tuple[str, str]:
    if exception.startswith("["):
        name, _, rest = exception[1:].partition("]")
        return name, rest.removeprefix(":")
    name, colon, port = exception.rpartition(":")
    return (name, port) if colon and ":" not in name else (exception, "")


def _address(text: str) -> _IpAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_in(address: _IpAddress, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError where it is none
    except ValueError:
        return None
    return parts
