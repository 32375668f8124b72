"""The base image, built once a session, and the engine that runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest
from build import build
from root_file_system import RootFileSystemError

from ppmlctl.clients.docker import DockerClient
from ppmlctl.effects import Effects


@pytest.fixture(scope="session")
def client() -> Iterator[DockerClient]:
    if "DOCKER_HOST" not in os.environ:
        pytest.skip("DOCKER_HOST is not set")
    with DockerClient(Effects("docker", writes_allowed=True)) as opened:
        try:
            build(opened)
        except RootFileSystemError as error:
            pytest.skip(str(error))
        yield opened


@pytest.fixture(scope="session")
def api(client: DockerClient) -> Iterator[docker.APIClient]:
    assert client
    opened = docker.APIClient(version="auto", base_url=os.environ["DOCKER_HOST"])
    yield opened
    opened.close()
