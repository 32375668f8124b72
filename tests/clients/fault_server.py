"""A server that answers every request with one fault of a table, in the way of a broken or hostile one."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Fault = Callable[["Answering"], None]


@dataclass
class Answering:
    """One connection, after the request was read."""

    connection: socket.socket
    ended: threading.Event

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def answer(self, status: str, body: bytes, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        self.send("\r\n".join(lines).encode() + body)


def _drip(content: bytes) -> Fault:
    def fault(to: Answering) -> None:
        to.send(content)
        while not to.ended.wait(0.05):
            to.send(b"a")

    return fault


def _flood(to: Answering) -> None:
    to.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"')
    for _ in range(200):
        to.send(b"a" * (1 << 20))


def _refusing(status: str, body: bytes = b"{}", *headers: str) -> Fault:
    return lambda to: to.answer(status, body, *headers)


def _packed(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * (1 << 20)) for _ in range(mebibytes)), packer.flush()])


_BOMB = _packed(512)
_ODD_CAUSES = b'{"kind":"Status","reason":5,"message":[],"details":{"causes":[1,{"field":7}]}}'
_HTML = b"<html><title>Log in</title>\x1b[2J</html>"

FAULTS: dict[str, Fault] = {
    "slow headers": _drip(b"HTTP/1.1 200 OK\r\nX-A: "),
    "slow body": _drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{"),
    "silent cut": lambda _to: None,
    "cut": lambda to: to.send(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"a":'),
    "huge": _flood,
    "gzip bomb": _refusing("200 OK", _BOMB, "Content-Encoding: gzip"),
    "gzip bomb in a gzip": _refusing("200 OK", gzip.compress(_BOMB), "Content-Encoding: gzip, gzip"),
    "html": _refusing("200 OK", _HTML, "Content-Type: text/html"),
    "deep": _refusing("200 OK", b'{"a":' * 900 + b"1" + b"}" * 900),
    "very deep": _refusing("200 OK", b"[" * 100_000 + b"]" * 100_000),
    "empty object": _refusing("200 OK"),
    "null metadata": _refusing("200 OK", b'{"kind":"ConfigMap","apiVersion":"v1","metadata":null,"items":null}'),
    "null": _refusing("200 OK", b"null"),
    "list": _refusing("200 OK", b"[1]"),
    "half a surrogate": _refusing("200 OK", b'{"kind":"\\ud800","metadata":{"name":"\\udfff"}}'),
    "not utf-8": _refusing("200 OK", b'{"a":"\xff"}'),
    "no http": lambda to: to.send(b"SSH-2.0-OpenSSH_9\r\n"),
    "many headers": lambda to: to.send(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n"),
    "long header": lambda to: to.send(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * (1 << 20) + b"\r\n\r\n"),
    "bad chunk": lambda to: to.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "redirect": _refusing("302 Found", b"", "Location: http://127.0.0.1:9/"),
    "endless wait": _refusing("503 Service Unavailable", b"{}", f"Retry-After: {'9' * 400}"),
    "odd details": _refusing("409 Conflict", _ODD_CAUSES),
    "odd conflict": _refusing("409 Conflict", _ODD_CAUSES.replace(b"5", b'"Conflict"')),
    "odd absence": _refusing("410 Gone", b'{"kind":"Status","reason":{},"details":[]}'),
    "odd kind": _refusing("200 OK", b'{"kind":{},"apiVersion":[],"metadata":{},"items":[],"status":[]}'),
    "odd status": _refusing("422 Unprocessable", b'{"kind":"Status","details":"x","reason":{},"message":{"a":1}}'),
    **{
        str(code): _refusing(f"{code} Refused", _HTML, "Content-Type: text/html")
        for code in (400, 401, 403, 404, 409, 410, 418, 429, 500, 502, 503, 504)
    },
}


@dataclass
class FaultServer:
    """Listens on `port` of this machine; what it answers is `fault`, a name of the table."""

    port: int = 0
    fault: str = ""
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def fault_server(tls: ssl.SSLContext | None = None) -> Iterator[FaultServer]:
    """The server, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = FaultServer(listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, server, tls), daemon=True).start()
        try:
            yield server
        finally:
            server.ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, server: FaultServer, tls: ssl.SSLContext | None) -> None:
    while not server.ended.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, server, tls), daemon=True).start()


def _answer(connection: socket.socket, server: FaultServer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError, ValueError), connection:
        spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
        with spoken:
            if _read_request(spoken):
                FAULTS[server.fault](Answering(spoken, server.ended))
                with suppress(OSError):
                    spoken.shutdown(socket.SHUT_WR)
                while spoken.recv(65536):
                    pass


def _read_request(connection: socket.socket) -> bool:
    content = b""
    while b"\r\n\r\n" not in content:
        piece = connection.recv(65536)
        if not piece:
            return False
        content += piece
    return True
