"""What the clients of HTTPS services share, against a service that never comes to an end."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator

import httpx
import pytest

from ppmlctl.clients.https import Address, _Watch, receive
from ppmlctl.clients.proxies import Way
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

BEGINNINGS = {"headers": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SandboxCertificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=[*BEGINNINGS, "silence"])
def endless(request: pytest.FixtureRequest, certificates: SandboxCertificates) -> Iterator[int]:
    """The port of a service that answers a byte at a time, or nothing, until its client goes away."""
    beginning = BEGINNINGS.get(request.param)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_drip, args=(listening, certificates, beginning))
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def _drip(listening: socket.socket, certificates: SandboxCertificates, beginning: bytes | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
        connection.recv(1 << 16)
        if beginning:
            connection.sendall(beginning)
        connection.settimeout(0.02)
        while True:
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                if beginning:
                    connection.sendall(b"a")
            except OSError:
                return


def test_an_answer_without_end_is_given_up_however_it_is_drawn_out(
    endless: int, certificates: SandboxCertificates
) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    with (
        httpx.Client(verify=context, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as http,
        pytest.raises(httpx.ReadTimeout, match=r"^the answer takes too long$"),
    ):
        receive(http, http.build_request("GET", f"https://127.0.0.1:{endless}/"), largest=1 << 20, seconds=0.3)


def test_a_connection_that_is_there_when_the_time_is_over_is_ended_at_once() -> None:
    here, there = socket.socketpair()
    with here, there, _Watch(60) as watch:
        watch._end()  # as its timer does, while the connection is being made
        watch.notice("connection.start_tls.complete", {"return_value": _Stream(here)})
        there.settimeout(10)
        assert there.recv(1) == b""


class _Stream:
    """As httpcore hands out a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def get_extra_info(self, name: str) -> socket.socket:
        assert name == "socket"
        return self._connection


def test_an_answer_that_is_packed_more_than_once_is_not_unpacked() -> None:
    content = gzip.compress(gzip.compress(bytes(1 << 24)))
    packed = httpx.Response(200, headers={"content-encoding": "gzip, gzip"}, stream=httpx.ByteStream(content))
    with httpx.Client(transport=httpx.MockTransport(lambda _request: packed)) as http:
        request = http.build_request("GET", "https://host/")
        with pytest.raises(httpx.ReadError, match=r"^the answer is packed more than once$"):
            receive(http, request, largest=1 << 25, seconds=60)


def test_a_host_is_found_in_a_url_and_may_lie_elsewhere() -> None:
    found = Address.of("https://ehsm.sandbox:9000/path", ("::1", 12345))
    assert found == Address(
        Way("https://ehsm.sandbox:9000"), "ehsm.sandbox:9000", "https://[::1]:12345", {"sni_hostname": "ehsm.sandbox"}
    )
    assert Address.of("https://host") == Address(Way("https://host"), "host", "https://host:443", {})
