"""What environments on real engines stand on: an engine, an address that pods reach, aesmd's socket, a base image."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from filelock import FileLock

BASE = "ppml-e2e/base:1"


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bridge(engine: docker.APIClient) -> str:
    """An address of this machine that containers reach."""
    address: str = engine.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"]
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        pytest.skip(f"the engine's bridge address {address} is not on this machine")
    return address


@pytest.fixture(scope="module")
def aesm_socket() -> Iterator[None]:
    """A socket where aesmd would have one: pods with SGX mount it, and nobody talks to it here.

    One module at a time has it: a machine has one such place, and the jobs of one module fill a small node.
    """
    place = Path("/var/run/aesmd/aesm.socket")
    with FileLock(Path(tempfile.gettempdir()) / "ppmlctl-e2e-aesm.lock"):
        if place.is_socket():
            yield
            return
        try:
            place.parent.mkdir(exist_ok=True)
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(place))
        except OSError as error:
            pytest.skip(f"no socket can be made at {place}: {error.strerror}")
        yield
        place.unlink()


@pytest.fixture(scope="module")
def base_image() -> str:
    """The stand-in for BigDL's base image, at the engine; its name."""
    build = Path(__file__).parent / "image" / "build.py"
    built = subprocess.run([sys.executable, str(build)], capture_output=True, text=True, check=False)
    if "RootFileSystemError" in built.stderr:
        pytest.skip(built.stderr.splitlines()[-1])
    assert built.returncode == 0, built.stderr
    return BASE
