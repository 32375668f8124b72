"""Reading files out of an image, by a container that is created and never started."""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import docker
from docker.errors import NotFound

from ppmlctl.effects import Effect, Effects

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NEVER_RUN = ["/never-run"]
"""An image without a command needs one to be made a container of."""

_MOST_LINKS = 40
_MANY = 8
"""Files of one folder from which on the folder is fetched as a whole."""
_PIECE = 1 << 16


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

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """SHA-256 in hex by path; see DockerClient.file_digests."""
        wanted = set(paths)
        known: dict[str, str] = {}
        for folder in _worth_whole(wanted):
            known |= self._digests_below(folder)
        for path in sorted(wanted - known.keys()):
            digest = self._digest_at(path)
            if digest is not None:
                known[path] = digest
        return {path: known[path] for path in wanted & known.keys()}

    def _digest_at(self, path: str) -> str | None:
        """Of one file, links followed; in pieces, since one may fill gigabytes too. None where no file is."""
        for _ in range(_MOST_LINKS):
            with self._effects.operation(Effect.READ, "read archive"):
                try:
                    chunks, status = self._api.get_archive(self._container, path)
                except NotFound:
                    return None
                target = status.get("linkTarget") if status else None
                with _streamed(chunks) as archive:
                    member = archive.next()
                    content = archive.extractfile(member) if member and member.isreg() and not target else None
                    if content is not None:
                        return _sha256(content)
            if not target:
                return None
            path = posixpath.join(posixpath.dirname(path), target)
        return None

    def _digests_below(self, folder: str) -> dict[str, str]:
        """Of all files below, links among them followed; in pieces, since libraries fill gigabytes."""
        digests: dict[str, str] = {}
        links: dict[str, str] = {}
        with self._effects.operation(Effect.READ, "read archive"):
            try:
                chunks, status = self._api.get_archive(self._container, folder)
            except NotFound:
                return {}
            with _streamed(chunks) as archive:
                for member in archive:
                    path = posixpath.join(folder, member.name.partition("/")[2])
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is not None:
                        digests[path] = _sha256(content)
                    elif member.islnk():
                        links[path] = posixpath.join(folder, member.linkname.partition("/")[2])
                    elif member.issym():
                        links[path] = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
        if status and status.get("linkTarget"):
            target = posixpath.join(posixpath.dirname(folder), status["linkTarget"])
            below = self._digests_below(posixpath.normpath(target))
            return {f"{folder}{path.removeprefix(target)}": digest for path, digest in below.items()}
        followed = {path: digests.get(_end_of(path, links)) for path in links}
        return digests | {path: digest for path, digest in followed.items() if digest}

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


@contextmanager
def _streamed(chunks: Iterable[bytes]) -> Iterator[tarfile.TarFile]:
    """The archive, to be read from its beginning to its end. What is left of it is read in the end."""
    stream = io.BufferedReader(_Pieces(chunks))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        yield archive
    while stream.read(_PIECE):
        pass  # unread, it would block the connection


def _sha256(content: IO[bytes]) -> str:
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type] # typeshed wants more than is read


class _Pieces(io.RawIOBase):
    """What comes in pieces, as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        self._left = self._left or next(self._pieces, b"")
        count = min(len(view), len(self._left))
        view[:count], self._left = self._left[:count], self._left[count:]
        return count


def _worth_whole(paths: Iterable[str]) -> list[str]:
    """The folders that are fetched at once, since many files of them are wanted."""
    counted = Counter(posixpath.dirname(path) for path in paths)
    chosen: list[str] = []
    for folder in sorted(folder for folder, count in counted.items() if count >= _MANY and folder != "/"):
        if not any(folder.startswith(f"{above}/") for above in chosen):
            chosen.append(folder)
    return chosen


def _end_of(path: str, links: Mapping[str, str]) -> str:
    for _ in range(_MOST_LINKS):
        if path not in links:
            break
        path = links[path]
    return path


def _members(archive: io.BytesIO) -> Iterator[tuple[str, bytes]]:
    """The regular files of what the engine archived: its first member is the file or folder that was asked for."""
    with tarfile.open(fileobj=archive, mode="r:") as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() or member.islnk() else None
            if content is not None:
                yield member.name.partition("/")[2], content.read()
