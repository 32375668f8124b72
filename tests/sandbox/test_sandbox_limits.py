"""The sandbox before those who have no credentials: connections, logs, and a folder that goes."""

from __future__ import annotations

import os
import select
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from ppmlctl.clients.server_trust import context_of
from ppmlctl.sandbox import down, request_log, up
from ppmlctl.sandbox.listener import MOST_OPEN, BoundedListener
from ppmlctl.sandbox.request_log import shorten


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
            assert httpx.get(url, verify=context_of(sandbox.ca)).status_code < 500
        for connection in idle:
            connection.close()
        assert (tmp_path / "state" / "sandbox.log").stat().st_size < 1 << 20
    finally:
        down(tmp_path / "state")
