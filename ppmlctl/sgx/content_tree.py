"""A root file system that was read into memory, such as the part of an image that an engine handed out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from ppmlctl.sgx.errors import TreeError
from ppmlctl.sgx.tree import Entry, Kind


class ContentTree:
    """A Tree of files by absolute path. It knows no links: whoever read the files has followed them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {_normal(path): content for path, content in files.items()}
        self._folders: dict[str, set[str]] = {"/": set()}
        for path in self._files:
            self._add_parents(PurePosixPath(path))

    def kind(self, path: str) -> Kind | None:
        normal = _normal(path)
        if normal in self._folders:
            return Kind.FOLDER
        return Kind.FILE if normal in self._files else None

    def entries(self, folder: str) -> Iterator[Entry]:
        normal = _normal(folder)
        for name in self._folders.get(normal, ()):
            kind = self.kind(f"{normal}/{name}")
            if kind is not None:
                yield Entry(name, kind, is_link=False)

    def read(self, path: str) -> bytes:
        try:
            return self._files[_normal(path)]
        except KeyError:
            raise TreeError(f"{path} does not exist") from None

    def digest(self, path: str) -> str:
        return hashlib.sha256(self.read(path)).hexdigest()

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
