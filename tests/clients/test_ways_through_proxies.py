"""By which way each client goes: the environment's proxy to servers outside, none on this machine, and said so."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from recording_server import FAR, Lab, lab

from ppmlctl.clients.attestation import AttestationClient
from ppmlctl.clients.docker import DockerClient
from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.clients.pccs import PccsClient
from ppmlctl.dcap import PlatformFamily
from ppmlctl.diagnostics import PpmlError, TransientError
from ppmlctl.effects import Effects

Ask = Callable[..., None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, place: Lab) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    place.take()


def effects(name: str) -> Effects:
    return Effects(name, writes_allowed=True)


def ask_ehsm(server: str, pki: Path, *, writes: bool = False) -> None:
    with EhsmClient(f"https://{server}", effects("ehsm"), trust=ServerTrust(pki / "ca.pem")) as client:
        (client.enroll if writes else client.get_version)()


def ask_attestation(server: str, pki: Path, *, writes: bool = False) -> None:
    with AttestationClient(f"https://{server}", effects("attestation"), trust=ServerTrust(pki / "ca.pem")) as client:
        (client.enroll if writes else client.check)()


def ask_pccs(server: str, pki: Path) -> None:
    with PccsClient(f"https://{server}", effects("pccs"), ca=pki / "ca.pem") as client:
        client.collateral(PlatformFamily("sgx", "73616E646278", "processor"))


def ask_docker(server: str, pki: Path) -> None:
    with DockerClient(effects("docker"), host=f"tcp://{server}", environment=docker_environment(pki)) as client:
        client.images()


def docker_environment(pki: Path) -> dict[str, str]:
    folder = pki / "docker"
    if not folder.exists():
        folder.mkdir()
        for name, source in (("ca.pem", "ca.pem"), ("cert.pem", "client.pem"), ("key.pem", "client.key")):
            (folder / name).write_bytes((pki / source).read_bytes())
    return {**os.environ, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder)}


CLIENTS: list[Ask] = [ask_ehsm, ask_attestation, ask_pccs, ask_docker]
each = pytest.mark.parametrize("ask", CLIENTS, ids=lambda ask: ask.__name__.removeprefix("ask_"))


@each
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_server_outside_is_asked_through_the_environments_proxy(
    ask: Ask, kind: str, place: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = {"http": place.proxy_port, "socks5": place.socks_port}[kind]
    monkeypatch.setenv("HTTPS_PROXY", f"{kind}://127.0.0.1:{port}")
    with suppress(PpmlError):  # what answers is the lab's server, which is none of theirs
        ask(f"{FAR}:9000", place.pki)
    seen = place.take()
    assert {(one["proxy"], one["place"]) for one in seen if "proxy" in one} == {(kind, FAR)}
    assert [one for one in seen if "path" in one], "the request reached the server"


@each
def test_a_server_on_this_machine_is_asked_directly(ask: Ask, place: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{place.proxy_port}")
    with suppress(PpmlError):
        ask(f"127.0.0.1:{place.port}", place.pki)
    seen = place.take()
    assert seen
    assert not [one for one in seen if "proxy" in one]


@each
def test_no_proxy_names_a_server_that_is_asked_directly(ask: Ask, place: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{place.proxy_port}")
    monkeypatch.setenv("NO_PROXY", "example.com")
    with pytest.raises(PpmlError) as caught:
        ask(f"{FAR}:9000", place.pki)
    assert not place.take()
    assert "proxy" not in str(caught.value)


@each
def test_an_unreachable_server_names_the_proxy_and_not_who_asks_it(
    ask: Ask, place: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1")
    with pytest.raises(PpmlError) as caught:
        ask(f"{FAR}:9000", place.pki)
    (diagnostic,) = caught.value.diagnostics
    assert f"{FAR}:9000, through the proxy http://127.0.0.1:1 (HTTPS_PROXY)" in diagnostic.found
    assert diagnostic.fix == f"check that the proxy runs and leads there, or name {FAR} in NO_PROXY"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("ask", [ask_ehsm, ask_attestation])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_write_that_a_proxy_did_not_pass_on_was_not_sent(
    ask: Ask, answer: bytes, place: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_once, args=(listener, answer))
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(TransientError):
            ask(f"{FAR}:9000", place.pki, writes=True)
        thread.join()


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    with listener.accept()[0] as client:
        client.recv(1 << 16)
        client.sendall(answer)


def test_an_engine_without_tls_is_asked_through_the_proxy_for_http(place: Lab) -> None:
    environment = {"HTTP_PROXY": f"127.0.0.1:{place.plain_port}", "HTTPS_PROXY": "127.0.0.1:1"}
    client = DockerClient(effects("docker"), host=f"tcp://{FAR}:2375", environment=environment)
    with client, pytest.raises(PpmlError):
        client.images()
    assert [one["path"] for one in place.take()] == [f"http://{FAR}:2375/version"]


def test_a_pinned_certificate_is_compared_in_tls_within_tls(place: Lab) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = place.pki / "server.pem"
    server.load_cert_chain(certificate, place.pki / "server.key")
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)
    _shake_hands(ServerTrust(fingerprint=hashlib.sha256(leaf).hexdigest()).ssl_context(), server)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate fingerprint is"):
        _shake_hands(ServerTrust(fingerprint="00" * 32).ssl_context(), server)


def _shake_hands(ours: ssl.SSLContext, theirs: ssl.SSLContext) -> None:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [ours.wrap_bio(back, there), theirs.wrap_bio(there, back, server_side=True)]
    while sides:
        for side in list(sides):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
                sides.remove(side)
