"""Servers on this machine that write down what reaches them: an API server with TLS and without, and two proxies."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

FAR = "cluster.example.com"
"""A name that nobody resolves: only a proxy, which asks nobody, leads there."""
_ABOUT = ("authorization", "proxy-authorization")


@dataclass
class Lab:
    """All of it. `seen` are the requests, each with who asked and by which way; `pki` are its files."""

    pki: Path
    seen: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    plain_port: int = 0
    proxy_port: int = 0
    socks_port: int = 0

    def take(self) -> list[dict[str, Any]]:
        """What was seen since the last time."""
        seen, self.seen = self.seen, []
        return seen


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """The servers, until the block ends. `folder` gets ca.pem, server.key, client.pem and client.key."""
    certificates = ensure_certificates(folder, ["lab.example.com", FAR])
    _make_client(folder)
    made = Lab(folder)
    with (
        _api(made, _tls(certificates, folder)) as made.port,
        _api(made, None) as made.plain_port,
        _proxy(made, _connect_by_http) as made.proxy_port,
        _proxy(made, _connect_by_socks) as made.socks_port,
    ):
        yield made


def _make_client(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "builder")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=2))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "client.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "client.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def _tls(certificates: SandboxCertificates, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    context.load_verify_locations(folder / "client.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # a client's certificate is judged before anything is sent
    return context


@contextmanager
def _api(made: Lab, context: ssl.SSLContext | None) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
            names = [name.lower() for name in self.headers]
            asked = sorted({name for name in names if name in _ABOUT or name.startswith("impersonate-")})
            made.seen.append(
                {
                    "path": self.path,
                    "certificate": dict(part[0] for part in shown["subject"])["commonName"] if shown else None,
                    **{name: sorted(self.headers.get_all(name) or ()) for name in asked},
                }
            )
            metadata = {"name": self.path.rpartition("/")[2], "uid": "u", "resourceVersion": "1"}
            body = json.dumps({"metadata": metadata, "kind": "Namespace", "apiVersion": "v1"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, address: Any) -> None:
            with suppress(OSError):
                wrapped = context.wrap_socket(request, server_side=True) if context else request
                with closing(wrapped):
                    super().finish_request(wrapped, address)

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def _proxy(made: Lab, connect: Any) -> Iterator[int]:
    """Leads everybody to the API server, whatever the place they ask for."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=lead, args=(client,), daemon=True).start()

    def lead(client: socket.socket) -> None:
        with suppress(OSError, ValueError), client:
            made.seen.append(connect(client))
            with socket.create_connection(("127.0.0.1", made.port)) as upstream:
                back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
                back.start()
                _pump(client, upstream)
                back.join()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def _connect_by_http(client: socket.socket) -> dict[str, Any]:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    lines = head.decode().split("\r\n")
    login = [line.partition(": ")[2] for line in lines if line.lower().startswith("proxy-authorization:")]
    return {"proxy": "http", "place": lines[0].split()[1].partition(":")[0], "login": login}


def _connect_by_socks(client: socket.socket) -> dict[str, Any]:
    """RFC 1928, without authentication."""
    client.recv(2 + 255)
    client.sendall(b"\x05\x00")
    kind = client.recv(4)[3]
    place = client.recv(client.recv(1)[0]).decode() if kind == 3 else client.recv(4 if kind == 1 else 16).hex()
    client.recv(2)
    client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    return {"proxy": "socks5", "place": place}
