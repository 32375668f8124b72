"""A root file system that was read into memory, such as the part of an image that an engine handed out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from ppmlctl.sgx.errors import TreeError
from ppmlctl.sgx.tree import Entry, Kind

_NOTHING: Mapping[str, str] = MappingProxyType({})


class ContentTree:
    """A Tree of files by absolute path. It knows no links: whoever read the files has followed them.

    Of some files it may have nothing but the digest, SHA-256 in hex; `folders` are there even where they are empty.
    """

    def __init__(
        self, files: Mapping[str, bytes], digests: Mapping[str, str] = _NOTHING, folders: Iterable[str] = ()
    ) -> None:
        self._files = {_normal(path): content for path, content in files.items()}
        self._digests = {_normal(path): digest for path, digest in digests.items()}
        self._folders: dict[str, set[str]] = {"/": set()}
        for folder in folders:
            self._folders.setdefault(_normal(folder), set())
        for path in [*self._files, *self._digests, *self._folders]:
            self._add_parents(PurePosixPath(path))

    def kind(self, path: str) -> Kind | None:
        normal = _normal(path)
        if normal in self._folders:
            return Kind.FOLDER
        return Kind.FILE if normal in self._files or normal in self._digests else None

    def entries(self, folder: str) -> Iterator[Entry]:
        normal = _normal(folder)
        for name in self._folders.get(normal, ()):
            kind = self.kind(f"{normal}/{name}")
            if kind is not None:
                yield Entry(name, kind, is_link=False)

    def read(self, path: str) -> bytes:
        normal = _normal(path)
        if normal not in self._files:
            raise TreeError(f"{path} was not read" if normal in self._digests else f"{path} does not exist")
        return self._files[normal]

    def digest(self, path: str) -> str:
        known = self._digests.get(_normal(path))
        return known or hashlib.sha256(self.read(path)).hexdigest()

    def _add_parents(self, path: PurePosixPath) -> None:
        for child in (path, *path.parents):
            self._folders.setdefault(str(child.parent), set()).add(child.name)
        self._folders["/"].discard("")


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            parts = parts[:-1]
        elif part.strip("/"):
            parts.append(part)
    return "/" + "/".join(parts)
