"""The sandbox before those who have no credentials, on a full disk, and when its folder goes."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import socket
import sqlite3
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ppmlctl.clients.attestation import faults as attestation_faults
from ppmlctl.clients.ehsm import faults as ehsm_faults
from ppmlctl.clients.server_trust import context_of
from ppmlctl.ehsm import Envelope
from ppmlctl.sandbox import down, listener, request_log, up
from ppmlctl.sandbox.attestation import beside_ehsm
from ppmlctl.sandbox.ehsm import access_log
from ppmlctl.sandbox.kubernetes.kinds import kind_named
from ppmlctl.sandbox.kubernetes.status import ApiError
from ppmlctl.sandbox.kubernetes.store import Store
from ppmlctl.sandbox.listener import MOST_OPEN, BoundedListener, BoundedLoop
from ppmlctl.sandbox.request_log import shorten
from ppmlctl.sandbox.storage import WORDS
from ppmlctl.sandbox.tls import ensure_certificates


def test_idle_connections_keep_nobody_out() -> None:
    with BoundedListener(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        place = listener.getsockname()
        ends = [(socket.create_connection(place), listener.accept()[0]) for _ in range(MOST_OPEN + 10)]
        assert [theirs.recv(1) for theirs, _ in ends[:10]] == [b""] * 10
        ends[-1][1].sendall(b"x")
        assert ends[-1][0].recv(1) == b"x"
        for pair in ends:
            for end in pair:
                end.close()


def test_connections_that_nobody_closes_are_bounded_too() -> None:
    with BoundedListener(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ends: list[socket.socket] = []
        for _ in range(2 * MOST_OPEN):
            ends += [socket.create_connection(listener.getsockname()), listener.accept()[0]]
        with socket.create_connection(listener.getsockname()), pytest.raises(ConnectionAbortedError):
            listener.accept()
        for end in ends:
            end.close()


def test_a_log_begins_anew_where_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "LARGEST", 10)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for line in (b"12345678", b"90123", b"last"):
        shorten(log)
        os.write(log, line)
    os.close(log)
    assert (tmp_path / "log").read_bytes() == b"last"


def test_the_log_of_an_ehsm_begins_anew_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "LARGEST", 200)
    log = access_log.AccessLog(tmp_path / "log")
    for number in range(20):
        log.write(f"Action{number}", {}, 200, number)
    assert (tmp_path / "log").stat().st_size < 400
    assert "Action19" in (tmp_path / "log").read_text()


def test_a_handshake_that_does_not_go_on_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 0.1)
    certificates = ensure_certificates(tmp_path, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)

    async def wait_for_the_end() -> bytes:
        serving = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        async with serving:
            reader, writer = await asyncio.open_connection(*serving.sockets[0].getsockname())
            ended = await asyncio.wait_for(reader.read(), 30)  # asyncio's own end comes after a minute
            writer.close()
            return ended

    with asyncio.Runner(loop_factory=BoundedLoop) as runner:
        assert runner.run(wait_for_the_end()) == b""


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite finds no room for another page."""
    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*arguments, **options)
        database.execute("PRAGMA max_page_count = 1")
        return database

    monkeypatch.setattr(sqlite3, "connect", connected)


def _enrolled_until_refused(app: Any, host: str, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"https://{host}") as client:
            for _ in range(400):
                answer = await client.get(path)
                if WORDS in answer.text or answer.status_code != 200:
                    break
            return answer

    return asyncio.run(ask())


def test_a_full_disk_is_told_by_each_service_as_what_it_is(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    app, store = beside_ehsm(tmp_path), Store(tmp_path)
    request.getfixturevalue("full_disk")

    answer = _enrolled_until_refused(app, "ehsm.sandbox", "/ehsm?Action=Enroll").json()
    assert answer == {"code": 500, "message": WORDS, "result": {}}
    told = str(ehsm_faults.refused("Enroll", Envelope(**answer)))
    assert f"Enroll: code 500, `{WORDS}`" in told
    assert "make room" in told

    refused = _enrolled_until_refused(app, "attestation.sandbox", "/enroll")
    assert (refused.status_code, refused.text) == (500, WORDS)
    assert f"HTTP 500, `{WORDS}`" in str(attestation_faults.failed("https://a", "enroll", refused.text))

    store.close()
    store = Store(tmp_path)
    revision = store.revision
    with pytest.raises(ApiError, match=WORDS) as error:
        store.put(kind_named("configmaps"), {"metadata": {"name": "a", "namespace": "b"}, "data": {"c": "d" * 99_999}})
    assert (error.value.code, store.revision) == (500, revision)
    store.close()


@pytest.mark.parametrize("module", [request_log, access_log])
def test_a_log_that_cannot_be_written_keeps_nobody_from_the_answer(module: Any) -> None:
    if module is access_log:
        access_log.AccessLog(Path("/dev/full")).write("Enroll", {}, 200, 0)
        return
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    log = request_log.RequestLog(app, "ehsm", Path("/dev/full"))
    asyncio.run(log({"type": "http", "method": "GET", "path": "/"}, send, send))
    assert [message["status"] for message in sent] == [200]


def test_a_sandbox_whose_folder_is_gone_ends_itself(tmp_path: Path) -> None:
    process = os.pidfd_open(up(tmp_path / "state").pid)
    try:
        shutil.rmtree(tmp_path / "state")
        assert select.select([process], [], [], 60)[0], "it lives on"
    finally:
        os.close(process)


def test_connections_without_credentials_leave_both_services_answering(tmp_path: Path) -> None:
    sandbox = up(tmp_path / "state")
    try:
        assert sandbox.ehsm_url
        assert sandbox.kubernetes_url
        place = urlsplit(sandbox.kubernetes_url)
        idle = [socket.create_connection((place.hostname or "", place.port or 0)) for _ in range(450)]
        for url in (sandbox.kubernetes_url, sandbox.ehsm_url):
            assert httpx.get(url, verify=context_of(sandbox.ca), timeout=60).status_code < 500
        for connection in idle:
            connection.close()
        assert (tmp_path / "state" / "sandbox.log").stat().st_size < 1 << 20
    finally:
        down(tmp_path / "state")
