"""An API server that is away for 20 seconds in the middle of an apply. A proxy goes dark; the real server stays up."""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from ppmlctl.clients.kubernetes import KubernetesClient, ObjectKey
from ppmlctl.effects import Effects

pytestmark = [pytest.mark.cluster, pytest.mark.skipif("KUBECONFIG" not in os.environ, reason="no real cluster")]

COUNT = 60
DARK_SECONDS = 20.0
CALLS_BEFORE_DARK = 40


class Proxy:
    """Forwards to a server; after a number of messages from clients it is gone for a while, with all connections."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._calls = 0
        self._lock = threading.Lock()
        self.went_dark = False
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.closed = True
        self._cut()

    def _accept(self) -> None:
        while not self.closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                time.sleep(0.05)
                continue
            upstream = socket.create_connection(self._server)
            self._connections += [client, upstream]
            threading.Thread(target=self._forward, args=(client, upstream), daemon=True).start()

    def _forward(self, client: socket.socket, upstream: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                for one in select.select([client, upstream], [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        client.close()
                        upstream.close()
                        return
                    (upstream if one is client else client).sendall(data)
                    if one is client:
                        self._count()

    def _count(self) -> None:
        """After the message has gone to the server, so that its answer is lost."""
        with self._lock:
            self._calls += 1
            if self._calls != CALLS_BEFORE_DARK:
                return
        self.went_dark = True
        self._cut()
        threading.Timer(DARK_SECONDS, self._return).start()

    def _cut(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
        self._listener.close()
        for one in self._connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _return(self) -> None:
        if not self.closed:
            self._listener = socket.create_server(("127.0.0.1", self.port))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = urlsplit(_kubeconfig()["clusters"][0]["cluster"]["server"])
    made = Proxy((str(server.hostname), int(server.port or 443)))
    yield made
    made.close()


@pytest.fixture
def namespace() -> Iterator[tuple[str, KubernetesClient]]:
    name = f"away-{secrets.token_hex(4)}"
    client = KubernetesClient(Effects("kubernetes", writes_allowed=True))
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name, client
    client.delete(ObjectKey("v1", "Namespace", "", name))


def _kubeconfig() -> dict[str, list[dict[str, dict[str, str]]]]:
    content: dict[str, list[dict[str, dict[str, str]]]] = YAML(typ="safe", pure=True).load(
        Path(os.environ["KUBECONFIG"])
    )
    return content


def test_an_apply_goes_on_when_the_server_is_back_and_makes_nothing_twice(
    tmp_path: Path, proxy: Proxy, namespace: tuple[str, KubernetesClient]
) -> None:
    name, client = namespace
    metadata = {"name": "c-{{ item }}", "namespace": name}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}
    task = {"name": "settings", "loop": [f"n{n}" for n in range(COUNT)], "k8s_object": {"manifest": manifest}}
    (tmp_path / "many.yaml").write_text(json.dumps([task]))
    text = f"version: 1\nname: away\ntarget: cluster\ncluster: {{namespace: {name}}}\nplaybooks: [many.yaml]\n"
    (tmp_path / "ppml.yaml").write_text(text)
    content = _kubeconfig()
    content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
    (tmp_path / "kubeconfig").write_text(json.dumps(content))
    variables = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "PPML_VAULT_PASSWORD": "of this test"}
    told = ppmlctl(tmp_path, variables, "apply", "--yes")
    assert proxy.went_dark
    assert "the API server cannot be reached; next try in" in told
    made = [one["metadata"]["name"] for one in client.list_objects("v1", "ConfigMap", name)]
    assert sorted(one for one in made if one.startswith("c-")) == sorted(f"c-n{n}" for n in range(COUNT))
    lockfile = (tmp_path / "ppml.lock").read_text()
    assert (lockfile.count("existed_before: false"), lockfile.count("existed_before: true")) == (COUNT, 0)
    assert "No changes." in ppmlctl(tmp_path, variables, "plan")


def ppmlctl(folder: Path, variables: dict[str, str], *words: str) -> str:
    """Runs a command that must end with 0; all that it prints."""
    environment = os.environ | variables
    command = [sys.executable, "-m", "ppmlctl", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
