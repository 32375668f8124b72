"""Every client before every fault of the table: success or one message, within its time and memory.

`make faults` runs the whole table; `make test` some rows of each client.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fault_server import FAULTS, FaultServer, fault_server

from ppmlctl.clients.attestation import AttestationClient
from ppmlctl.clients.docker import DockerClient
from ppmlctl.clients.ehsm import EhsmClient
from ppmlctl.clients.kubernetes import Condition, KubernetesClient, ObjectKey
from ppmlctl.clients.kubernetes import transport as kubernetes_transport
from ppmlctl.clients.pccs import PccsClient
from ppmlctl.clients.server_trust import ServerTrust
from ppmlctl.dcap import PlatformFamily
from ppmlctl.diagnostics import PpmlError
from ppmlctl.effects import Effects
from ppmlctl.sandbox.tls import ensure_certificates

CONFIG = ObjectKey("v1", "ConfigMap", "ns", "config")
MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": "ns"}}
MOST_MEMORY = 200 << 20
"""Bytes that one call may add; the rest of 300 MB is the program's."""
SOON = 0.2
"""Seconds after which a call gives up what only the clock can end."""
NEVER = 3600.0
"""Seconds for every other fault: it ends by itself, by its size or by its shape, or the test says that it hangs."""
ENDLESS = ("slow headers", "slow body")


def _bound(fault: str) -> float:
    return SOON if fault in ENDLESS else NEVER


def _kubernetes(port: int, folder: Path) -> KubernetesClient:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    content = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {"token": "t"}}]}
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content | {"apiVersion": "v1", "kind": "Config", "current-context": "x"}))
    return KubernetesClient(Effects("kubernetes", writes_allowed=True), kubeconfig=file)


OPERATIONS: dict[str, Callable[[KubernetesClient], Any]] = {
    "get": lambda client: client.get(CONFIG),
    "list": lambda client: client.list_objects("v1", "ConfigMap", "ns"),
    "apply": lambda client: client.apply(MANIFEST),
    "create": lambda client: client.create(MANIFEST),
    "delete": lambda client: client.delete(CONFIG, wait_seconds=SOON),
    "wait": lambda client: client.wait(CONFIG, Condition("it is there", bool), SOON),
    "discover": lambda client: client.resource("example.com/v1", "Thing"),
    "log": lambda client: client.pod_log(ObjectKey("v1", "Pod", "ns", "pod")),
    "follow": lambda client: list(client.follow_log(ObjectKey("v1", "Pod", "ns", "pod"))),
    "identity": lambda client: client.cluster_identity(),
    "may": lambda client: client.may("get", "v1", "ConfigMap", "ns"),
}
ENDLESS_BY_NATURE = {("follow", "slow body"), ("follow", "huge")}
"""A log is followed for as long as something comes."""


EVERYWHERE = ("huge", "html", "very deep", "odd kind")
"""Faults of size, kind, depth and shape."""
ONE_OF_EACH = ("get", "ehsm", "inspect")


def _rows(calls: Iterable[str]) -> list[Any]:
    """Each call before each fault; all but a handful only by `make faults`."""
    return [
        pytest.param(fault, call, marks=() if fault in EVERYWHERE and call in ONE_OF_EACH else pytest.mark.faults)
        for call in calls
        for fault in FAULTS
    ]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificates = ensure_certificates(folder, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context, certificates.ca


@pytest.mark.parametrize(("fault", "operation"), _rows(OPERATIONS))
def test_kubernetes(
    fault: str, operation: str, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (operation, fault) in ENDLESS_BY_NATURE:
        return
    monkeypatch.setattr(kubernetes_transport.Transport, "whole_seconds", _bound(fault))
    server.fault = fault
    _is_told(lambda: OPERATIONS[operation](_kubernetes(server.port, tmp_path)))


def _ehsm(port: int, authority: Path) -> None:
    trust = ServerTrust(ca=authority)
    with EhsmClient(f"https://127.0.0.1:{port}", Effects("ehsm", writes_allowed=True), trust=trust) as client:
        client.get_version()


def _attestation(port: int, authority: Path) -> None:
    trust = ServerTrust(ca=authority)
    effects = Effects("attestation", writes_allowed=True)
    with AttestationClient(f"https://127.0.0.1:{port}", effects, trust=trust) as client:
        client.check()
        client.enroll()


def _pccs(port: int, authority: Path) -> None:
    effects = Effects("pccs", writes_allowed=False)
    with PccsClient(f"https://127.0.0.1:{port}", effects, ca=authority) as client:
        client.collateral(PlatformFamily("sgx", "00906ea10000", "platform"))


HTTPS: dict[str, Callable[[int, Path], None]] = {"ehsm": _ehsm, "attestation": _attestation, "pccs": _pccs}


@pytest.mark.parametrize(("fault", "client"), _rows(HTTPS))
def test_https(fault: str, client: str, tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.clients.exchange.TIMEOUT", _bound(fault))
    monkeypatch.setattr("ppmlctl.clients.pccs.client.TIMEOUT", _bound(fault))
    context, authority = tls
    with fault_server(context) as server:
        server.fault = fault
        _is_told(lambda: HTTPS[client](server.port, authority))


@pytest.mark.parametrize("client", HTTPS)
def test_an_expired_certificate_is_told(client: str, tmp_path: Path) -> None:
    authority, chain, key = _expired(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with fault_server(context) as server, pytest.raises(PpmlError, match="expired"):
        HTTPS[client](server.port, authority)


def _expired(folder: Path) -> tuple[Path, Path, Path]:
    key, then = ec.generate_private_key(ec.SECP256R1()), datetime(2020, 1, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, then, then + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, pem, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "cert.pem", folder / "key.pem"


ENGINE: dict[str, Callable[[DockerClient], Any]] = {
    "inspect": lambda client: client.inspect_image("a:b"),
    "images": lambda client: client.images(),
    "registry": lambda client: client.registry_digest("127.0.0.1:9/a:b"),
}


@pytest.mark.parametrize(("fault", "operation"), _rows(ENGINE))
def test_docker(fault: str, operation: str, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.clients.docker.connection.WHOLE_SECONDS", _bound(fault))
    server.fault = fault

    def call() -> None:
        host = f"tcp://127.0.0.1:{server.port}"
        with DockerClient(Effects("docker", writes_allowed=False), host=host) as client:
            ENGINE[operation](client)

    _is_told(call)


def _is_told(call: Callable[[], Any]) -> None:
    """Ends by itself, with a value or with one message, and little memory."""
    ended: list[BaseException | None] = []
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc_pid_clear_refs(5))
    before = _memory("VmHWM")

    def run() -> None:
        try:
            call()
            ended.append(None)
        except BaseException as error:  # noqa: BLE001 - told to the test
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)
    assert ended, "it hangs"
    assert ended[0] is None or isinstance(ended[0], PpmlError), repr(ended[0])
    assert _memory("VmHWM") - before < MOST_MEMORY


def _memory(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) << 10
