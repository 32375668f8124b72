"""What the sandbox's process does: HTTPS servers for EHSM and Kubernetes in one event loop.

In this order: the lock that keeps a state folder to one process, certificates, sockets (on the ports of the last time
where they are free), applications, `kubeconfig`, `run.json`, and last the word to whoever waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout
from starlette.applications import Starlette

from ppmlctl.files import PRIVATE, read_bytes, read_text, write_atomic
from ppmlctl.process_identity import start_time_of
from ppmlctl.sandbox.address import Address
from ppmlctl.sandbox.listener import BoundedListener, BoundedLoop
from ppmlctl.sandbox.process import EHSM, KUBERNETES, Run
from ppmlctl.sandbox.request_log import RequestLog, shorten
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

CONTEXT = "ppml-sandbox"
_TOKEN_BYTES = 32
_GRACE_SECONDS = 1
_LOOK_SECONDS = 1.0
_BACKLOG = 128


@dataclass(frozen=True)
class Order:
    """What this process shall serve, and where."""

    state: Path
    services: tuple[str, ...]
    listen: Address
    ready_descriptor: int | None = None
    """Where to write one byte, and close, when everything answers."""


def serve(order: Order) -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code."""
    os.umask(0o077)
    order.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(order.state / "serving.lock", timeout=0), asyncio.Runner(loop_factory=BoundedLoop) as runner:
            runner.run(_serve(order))
    except Timeout:
        sys.stderr.write("another process serves this state folder\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(order: Order) -> None:
    certificates = ensure_certificates(order.state / "tls", [order.listen.host])
    sockets = {service: _bind(order, service) for service in order.services}
    addresses = {service: Address(order.listen.host, bound.getsockname()[1]) for service, bound in sockets.items()}
    servers = {service: _Server(_application(service, order.state, certificates), certificates) for service in sockets}
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = [asyncio.create_task(server.serve([sockets[service]])) for service, server in servers.items()]
    await asyncio.gather(*(server.ready.wait() for server in servers.values()))
    if KUBERNETES in addresses:
        _write_kubeconfig(order.state, addresses[KUBERNETES], certificates.ca)
    run = _announce(order, addresses)
    waiting = asyncio.create_task(stop.wait())
    guarding = asyncio.create_task(_guard(order.state, stop))
    await asyncio.wait([waiting, *serving], return_when=asyncio.FIRST_COMPLETED)
    for server in servers.values():
        server.stop()
    await asyncio.gather(*serving)
    waiting.cancel()
    guarding.cancel()
    run.forget(order.state)


async def _guard(state: Path, stop: asyncio.Event) -> None:
    """Ends the process once its folder is gone, or another one stands there, and keeps its log from growing."""
    identity = _identity(state)
    while _identity(state) == identity:
        shorten(sys.stderr.fileno())
        await asyncio.sleep(_LOOK_SECONDS)
    stop.set()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _Server(uvicorn.Server):
    """One HTTPS server; signals are the process's business, because its servers share them."""

    def __init__(self, app: Starlette, certificates: SandboxCertificates) -> None:
        self._app = app
        self.ready = asyncio.Event()
        log = RequestLog(app, app.state.service, app.state.log)
        configuration = uvicorn.Config(
            log,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=str(certificates.certificate),
            ssl_keyfile=str(certificates.key),
        )
        super().__init__(configuration)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def stop(self) -> None:
        """Takes no more requests, ends the streams of watches, and lets the rest finish."""
        if hub := getattr(self._app.state, "hub", None):
            hub.close()
        self.should_exit = True


def _application(service: str, state: Path, certificates: SandboxCertificates) -> Starlette:
    folder = state / service
    folder.mkdir(exist_ok=True)
    app = _ehsm(folder) if service == EHSM else _kubernetes(folder, certificates.ca)
    app.state.service, app.state.log = service, state / "requests.jsonl"
    return app


def _ehsm(folder: Path) -> Starlette:
    from ppmlctl.sandbox.attestation import beside_ehsm  # noqa: PLC0415 - loaded only where it is served

    return beside_ehsm(folder)


def _kubernetes(folder: Path, ca: Path) -> Starlette:
    from ppmlctl.sandbox.kubernetes import make_app  # noqa: PLC0415 - loaded only where it is served

    return make_app(folder, token=_token(folder), ca=ca)


def _token(folder: Path) -> str:
    """The one user's bearer token, made once per state folder."""
    path = folder / "token"
    if not path.exists():
        write_atomic(path, secrets.token_urlsafe(_TOKEN_BYTES).encode(), mode=PRIVATE)
    return read_text(path)


def _bind(order: Order, service: str) -> socket.socket:
    """A listening socket on the port that was asked for, else on the last one if it is free, else on any."""
    asked = order.listen.port
    for port in [asked] if asked else [_last_port(order.state, service, order.listen.host), 0]:
        family = socket.AF_INET6 if ":" in order.listen.host else socket.AF_INET
        # asyncio sets TCP_NODELAY only where the protocol is named; without it, answers wait 40 ms for an ACK.
        bound = BoundedListener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((order.listen.host, port))
            bound.listen(_BACKLOG)
        except OSError:
            bound.close()
            if port == asked:
                raise
        else:
            return bound
    raise OSError("no port is free")


def _last_ports(state: Path) -> dict[str, int]:
    try:
        read = json.loads(read_bytes(state / "ports.json"))
    except (OSError, ValueError):
        return {}
    return {str(place): int(port) for place, port in read.items()} if isinstance(read, dict) else {}


def _last_port(state: Path, service: str, host: str) -> int:
    return _last_ports(state).get(f"{service} {host}", 0)


def _write_kubeconfig(state: Path, address: Address, ca: Path) -> None:
    """Written as JSON, which every reader of YAML takes."""
    authority = base64.b64encode(read_bytes(ca)).decode()
    cluster = {"server": f"https://{address.authority}", "certificate-authority-data": authority}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": {"token": _token(state / KUBERNETES)}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }
    write_atomic(state / "kubeconfig", json.dumps(kubeconfig, indent=2).encode() + b"\n", mode=PRIVATE)


def _announce(order: Order, addresses: Mapping[str, Address]) -> Run:
    ports = {f"{service} {address.host}": address.port for service, address in addresses.items()}
    remembered = json.dumps(_last_ports(order.state) | ports, sort_keys=True)
    write_atomic(order.state / "ports.json", remembered.encode() + b"\n", mode=PRIVATE)
    urls = {service: f"https://{address.authority}" for service, address in addresses.items()}
    run = Run(os.getpid(), start_time_of(os.getpid()) or 0, order.listen.host, urls)
    run.write(order.state)
    if order.ready_descriptor is not None:
        with contextlib.suppress(BrokenPipeError):
            os.write(order.ready_descriptor, b"1")
        os.close(order.ready_descriptor)
    return run
