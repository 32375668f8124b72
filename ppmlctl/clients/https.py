"""What the clients of HTTPS services share: the way to a server, and whole answers within bounds of time and size."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from ppmlctl.clients.proxies import Way, proxy_of

_HOST = re.compile(r"[!-~]+")
"""What a Host header can hold."""


@dataclass(frozen=True)
class Address:
    """Whom requests are for, and where they go."""

    way: Way
    """Scheme, host and port as they were given, and the proxy that leads there."""
    netloc: str
    """Host and port, for the Host header."""
    place: str
    """The URL that is connected to."""
    extensions: Mapping[str, Any]
    """For each request: the name that TLS is checked against, where that is not the place's own."""

    @classmethod
    def of(cls, url: str, connect_to: tuple[str, int] | None = None) -> Self | None:
        """The address in an https URL, None for anything else. `connect_to` leads it to another place, directly.

        Raises InputError (proxy-invalid).
        """
        try:
            parts = urlsplit(url)
            host, port = connect_to or (parts.hostname, parts.port or 443)
        except ValueError:
            return None
        if parts.scheme != "https" or not parts.hostname or not host or not _HOST.fullmatch(parts.netloc):
            return None
        place = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        extensions = {"sni_hostname": parts.hostname} if connect_to else {}
        url = f"https://{parts.netloc}"
        return cls(Way(url, None if connect_to else proxy_of(url)), parts.netloc, place, extensions)


def open_client(address: Address, context: ssl.SSLContext, *, seconds: float) -> httpx.Client:
    """A client of one server, which keeps no connection. It goes by `address.way`, and .netrc tells it nothing."""
    proxy = address.way.proxy
    own = ssl.create_default_context() if proxy and proxy.scheme == "https" else None
    return httpx.Client(
        verify=context,
        headers={"Host": address.netloc},
        timeout=seconds,
        trust_env=False,
        proxy=httpx.Proxy(proxy.asked, ssl_context=own) if proxy else None,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def receive(http: httpx.Client, request: httpx.Request, *, largest: int, seconds: float) -> httpx.Response:
    """Sends a request and reads its whole answer. The client must keep no connections.

    Raises httpx.TransportError, also where the answer has more than `largest` bytes when unpacked, is packed more
    than once, cannot be unpacked, or is not there whole after `seconds`: the client's own limits begin anew with each
    byte. It is a ConnectError, or ConnectTimeout, where nothing was sent to the server, only to a proxy.
    """
    content = bytearray()
    with _Watch(seconds) as watch:
        request.extensions = {**request.extensions, "trace": watch.notice}
        try:
            response = http.send(request, stream=True)
            watch.is_connected = True
            try:
                if len(response.headers.get_list("content-encoding", split_commas=True)) > 1:
                    # The first piece alone, unpacked twice, could fill all memory before its size is known.
                    raise httpx.ReadError("the answer is packed more than once")
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > largest:
                        raise httpx.ReadError("the answer is too large")
            finally:
                response.close()
        except httpx.RequestError as error:
            if not watch.is_connected:
                kind = httpx.ConnectTimeout if watch.is_late else httpx.ConnectError
                raise kind("the connection takes too long" if watch.is_late else str(error)) from error
            if watch.is_late:
                raise httpx.ReadTimeout("the answer takes too long") from None
            if isinstance(error, httpx.DecodingError):
                raise httpx.ReadError("the answer cannot be unpacked") from None
            raise
    # What is left of the headers would have the content unpacked a second time.
    headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
    return httpx.Response(response.status_code, headers=headers, content=bytes(content))


class _Watch:
    """Ends the connection of one exchange after a time, whatever is being waited for then."""

    def __init__(self, seconds: float) -> None:
        self.is_late = False
        self.is_connected = False
        """Whether TLS began: with the server, or with a proxy that speaks it."""
        self._connection: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def notice(self, event: str, about: Mapping[str, Any]) -> None:
        """Takes note of the connection, of which httpcore tells (its "trace" extension)."""
        # A proxy's answer, too, comes a byte at a time; and what leads through it has events of its own.
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self.is_connected = self.is_connected or event.endswith(".start_tls.complete")
            self._connection = about["return_value"].get_extra_info("socket")
            if self.is_late:  # while there was no connection yet that could be ended
                self._shut()

    def _end(self) -> None:
        self.is_late = True
        self._shut()

    def _shut(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                # Not TLS's own shutdown, which another thread may be in the middle of reading for.
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)
