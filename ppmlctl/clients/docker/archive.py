"""Reading files out of an image, by a container that is created and never started."""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import docker
from docker.errors import APIError, NotFound

from ppmlctl.clients.docker import faults
from ppmlctl.diagnostics import TransientError
from ppmlctl.effects import Effect, Effects
from ppmlctl.oci import BoundedMember

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NEVER_RUN = ["/never-run"]
"""An image without a command needs one to be made a container of."""

_MOST_LINKS = 40
_MANY = 8
"""Files of one folder from which on the folder is fetched as a whole."""
_PIECE = 1 << 16
_END = 2 * tarfile.BLOCKSIZE
"""Zeros that end an archive. Without them the reader of archives takes one that breaks off for one that is complete."""
MOST_READ = 1 << 26
"""Bytes: a manifest with all files of a JDK and a loader with its symbols fit many times over."""
_CIRCLE = "too many links"
"""Words of the engine, which answers with a fault of its own where Linux says ELOOP."""
_IS_FOLDER = 1 << 31
"""Of the mode that the engine tells: fs.ModeDir of Go."""


@dataclass
class Listing:
    """SHA-256 in hex of files, by path; links to files count as such. Paths of folders."""

    digests: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def joined(self, other: Listing) -> Listing:
        """Both."""
        return Listing(self.digests | other.digests, self.folders | other.folders)


@dataclass
class _OpenFile:
    """A file where it lies itself: what led there is followed."""

    path: str
    size: int
    content: IO[bytes]


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

    def files(self, paths: Iterable[str], most: int) -> dict[str, bytes]:
        """Contents by path; see DockerClient.read_files."""
        contents: dict[str, bytes] = {}
        for path in paths:
            with self._file(path) as found:
                if found is not None:
                    if found.size > most:
                        raise faults.file_too_large(self._reference, path, found.size)
                    most -= found.size
                    contents[path] = found.content.read()
        return contents

    def listing(self, paths: Iterable[str]) -> Listing:
        """Digests and folders; see DockerClient.list_files."""
        found = Listing()
        for path in paths:
            below, links = self._below(path)
            found = found.joined(below)
            for link in links:
                digest = self._digest_at(link)
                if digest is not None:
                    found.digests[link] = digest
        return found

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """SHA-256 in hex by path; see DockerClient.file_digests."""
        wanted = set(paths)
        known: dict[str, str] = {}
        for folder in _worth_whole(wanted):
            known |= self._below(folder)[0].digests
        for path in sorted(wanted - known.keys()):
            digest = self._digest_at(path)
            if digest is not None:
                known[path] = digest
        return {path: known[path] for path in wanted & known.keys()}

    def link_ends(self, paths: Iterable[str]) -> dict[str, str]:
        """Where files end, by path; see DockerClient.link_ends."""
        found: dict[str, str] = {}
        for path in paths:
            with self._file(path) as file:
                if file is not None:
                    found[path] = file.path
        return found

    def _digest_at(self, path: str) -> str | None:
        """Of one file, links followed; in pieces, since one may fill gigabytes too. None where no file is."""
        with self._file(path) as found:
            return None if found is None else _sha256(found.content)

    @contextmanager
    def _file(self, path: str) -> Iterator[_OpenFile | None]:
        """One file, links followed; None where no file is. A folder is not read for that."""
        for _ in range(_MOST_LINKS):
            with self._effects.operation(Effect.READ, "read archive"):
                chunks, status = self._archive(path)
                if status is None:
                    break
                target = _target(path, status)
                if target is None and not int(status["mode"]) & _IS_FOLDER:
                    with self._streamed(chunks) as archive:
                        member = archive.next()
                        content = archive.extractfile(member) if member and member.isreg() else None
                        yield _OpenFile(path, member.size, content) if member and content else None
                    return
            if target is None:
                break
            path = target
        yield None

    def _archive(self, path: str) -> tuple[Iterable[bytes], Mapping[str, Any] | None]:
        """What the engine archives, and what it tells of it; None where nothing is, or links lead in a circle."""
        try:
            chunks, status = self._api.get_archive(self._container, path)
        except NotFound:
            return (), None
        except APIError as error:
            if _CIRCLE in str(error.explanation):
                return (), None
            raise
        return chunks, status

    def _below(self, folder: str) -> tuple[Listing, list[str]]:
        """What is there and below, in pieces, since libraries fill gigabytes; and the links that were not followed.

        Only links to their own folder are: where others lead depends on folders above, and is the engine's to say.
        """
        found, links = Listing(), dict[str, str]()
        with self._effects.operation(Effect.READ, "read archive"):
            chunks, status = self._archive(folder)
            if status is None:
                return found, []
            target = _target(folder, status)
            if target is None:
                with self._streamed(chunks) as archive:
                    _add_members(archive, folder, found, links)
        if target is not None:
            below, left = self._below(target)
            renamed = Listing(
                {_moved(path, target, folder): digest for path, digest in below.digests.items()},
                {_moved(path, target, folder) for path in below.folders},
            )
            return renamed, [_moved(path, target, folder) for path in left]
        ends = {path: _end_of(path, links) for path in links}
        followed = {path: found.digests[end] for path, end in ends.items() if end in found.digests}
        found.digests.update(followed)
        return found, [path for path, end in ends.items() if path not in followed and end not in found.folders]

    @contextmanager
    def _streamed(self, chunks: Iterable[bytes]) -> Iterator[tarfile.TarFile]:
        """The archive, to be read from its beginning to its end. Raises `docker-interrupted` where it breaks off."""
        pieces = _Pieces(chunks)
        stream = io.BufferedReader(pieces)
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=BoundedMember) as archive:
                yield archive
        except (tarfile.TarError, RecursionError) as error:
            raise self._broken(str(error)) from None
        while stream.read(_PIECE):
            pass  # unread, it would block the connection
        if pieces.end != bytes(_END) or pieces.count < archive.offset + _END:
            raise self._broken("an archive of the engine breaks off")

    def _broken(self, reason: str) -> TransientError:
        return faults.interrupted(f"read files of {self._reference}", reason)

    def _remove(self, container: str) -> None:
        with self._effects.operation(Effect.WRITE, "remove container"):
            try:
                self._api.remove_container(container, force=True, v=True)  # with what VOLUME of the image made
            except NotFound:
                return


def _sha256(content: IO[bytes]) -> str:
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type] # typeshed wants more than is read


class _Pieces(io.RawIOBase):
    """What comes in pieces, as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._left = b""
        self.end = b""
        """The last bytes that came, as many as end an archive."""
        self.count = 0
        """Of all bytes that came."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        if not self._left:
            self._left = next(self._pieces, b"")
            self.end = (self.end + self._left[-_END:])[-_END:]
            self.count += len(self._left)
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


def _target(path: str, status: Mapping[str, Any]) -> str | None:
    """Where a link leads; None for what is no link."""
    target = status.get("linkTarget")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else None


def _moved(path: str, target: str, folder: str) -> str:
    below = path.removeprefix(target).lstrip("/")  # there is none after `/`, the root
    return posixpath.join(folder, below) if below else folder


def _add_members(archive: tarfile.TarFile, folder: str, found: Listing, links: dict[str, str]) -> None:
    """The engine archives what was asked for first, by its last name; hard links name members that came before."""
    for member in archive:
        path = _place(folder, member.name)
        content = archive.extractfile(member) if member.isreg() else None
        if content is not None:
            found.digests[path] = _sha256(content)
        elif member.isdir():
            found.folders.add(path)
        elif member.islnk():
            links[path] = _place(folder, member.linkname)
        elif member.issym():
            alone = "/" not in member.linkname and member.linkname not in {".", ".."}
            links[path] = posixpath.join(posixpath.dirname(path), member.linkname) if alone else ""


def _place(folder: str, name: str) -> str:
    below = name.partition("/")[2]
    return posixpath.join(folder, below) if below.strip("/") else folder
