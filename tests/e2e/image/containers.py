"""Containers of the base image, as tests start them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import docker
from build import NAME

LONGEST_RUN_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a container ended, and what it said: `text` all of it, `lines` without what scripts trace of themselves."""

    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if not line.startswith("+")]


@dataclass(frozen=True)
class Container:
    """A container to be: what a deployer gives it."""

    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the engine's host configuration."""

    def run(self, api: docker.APIClient) -> Ended:
        """Runs it to its end."""
        configuration = api.create_host_config(**self.host)
        container = api.create_container(
            NAME, self.command, environment=dict(self.environment), host_config=configuration
        )["Id"]
        try:
            api.put_archive(container, "/", _archive(self.files))
            api.start(container)
            status = api.wait(container, timeout=LONGEST_RUN_SECONDS)["StatusCode"]
            return Ended(status, api.logs(container).decode())
        finally:
            api.remove_container(container, force=True)


def _archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as opened:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return stream.getvalue()
