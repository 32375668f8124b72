"""A real registry for tests (Debian's docker-registry), without TLS, which engines accept of 127.0.0.0/8."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HTPASSWD = "ppml:$2y$05$3CIn8dpvwtwD2V9IjBQ76enbtM5BLm.HrobTfA90KFaQcNEAKjEI2\n"
"""User `ppml` with the password `hunter2`, as bcrypt's hash."""


@contextmanager
def running_registry(folder: Path, *, guarded: bool = False) -> Iterator[str]:
    """Its address; what it keeps lies in `folder`. Guarded, it asks for the user of HTPASSWD."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(HTPASSWD)
    settings = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": address},
        **({"auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}} if guarded else {}),
    }
    (folder / "registry.json").write_text(json.dumps(settings))
    command = [program, "serve", str(folder / "registry.json")]
    with (folder / "registry.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_until_it_listens(address)
            yield address
        finally:
            process.terminate()


def _wait_until_it_listens(address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the registry does not start"
            time.sleep(0.05)
        else:
            return
