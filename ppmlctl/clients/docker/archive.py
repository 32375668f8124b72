"""Reading files out of an image, by a container that is created and never started."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping

import docker
from docker.errors import NotFound

from ppmlctl.effects import Effect, Effects

_NEVER_RUN = ["/never-run"]
"""An image without a command needs one to be made a container of."""

_MOST_LINKS = 40


class Reader:
    """One such container of `reference`, labelled with `labels`."""

    def __init__(self, api: docker.APIClient, effects: Effects, reference: str, labels: Mapping[str, str]) -> None:
        self._api = api
        self._effects = effects
        self._reference = reference
        self._labels = dict(labels)
        self._container = ""

    def remove_stale(self) -> None:
        """Removes containers of the same labels, which an interrupted reader left behind."""
        filters = {"label": [f"{name}={value}" for name, value in self._labels.items()], "status": "created"}
        with self._effects.operation(Effect.READ, "list containers"):
            stale = self._api.containers(all=True, filters=filters)
        for container in stale:
            self._remove(container["Id"])

    def create(self) -> None:
        """Makes the container. Raises ImageNotFound."""
        with self._effects.operation(Effect.WRITE, "create container"):
            created = self._api.create_container(
                self._reference, command=_NEVER_RUN, labels=self._labels, network_disabled=True
            )
        self._container = created["Id"]

    def remove(self) -> None:
        """Takes the container away."""
        self._remove(self._container)

    def files(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents by path; see DockerClient.read_files."""
        contents: dict[str, bytes] = {}
        for path in paths:
            for below, content in self._files_at(path):
                contents[posixpath.join(path, below) if below else path] = content
        return contents

    def _files_at(self, path: str) -> Iterator[tuple[str, bytes]]:
        for _ in range(_MOST_LINKS):
            with self._effects.operation(Effect.READ, "read archive"):
                try:
                    chunks, status = self._api.get_archive(self._container, path)
                except NotFound:
                    return
                archive = io.BytesIO(b"".join(chunks))
            target = status.get("linkTarget") if status else None
            if not target:
                yield from _members(archive)
                return
            path = posixpath.join(posixpath.dirname(path), target)

    def _remove(self, container: str) -> None:
        with self._effects.operation(Effect.WRITE, "remove container"):
            try:
                self._api.remove_container(container, force=True)
            except NotFound:
                return


def _members(archive: io.BytesIO) -> Iterator[tuple[str, bytes]]:
    """The regular files of what the engine archived: its first member is the file or folder that was asked for."""
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() or member.islnk() else None
            if content is not None:
                yield member.name.partition("/")[2], content.read()
