"""The root file system of an image, as far as manifests need it: the one interface of this package to the outside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from ppmlctl.files import open_regular, read_bytes
from ppmlctl.sgx.errors import TreeError

_LARGEST = 1 << 26
"""Bytes of a file that is read whole: a manifest's template, a loader with its symbols."""
_MOST_LINKS = 40
"""As many symbolic links as Linux follows in one path (path_resolution(7))."""


class Kind(StrEnum):
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True)
class Entry:
    """One name in a folder; `kind` is that of what a symbolic link points to."""

    name: str
    kind: Kind
    is_link: bool


class Tree(Protocol):
    """A root file system. Paths are absolute, with `/`; symbolic links are followed, and stay inside the tree."""

    def kind(self, path: str) -> Kind | None:
        """What is at `path`; None if nothing is, or neither a file nor a folder."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """What is in `folder`, in any order; without dangling links, devices and what cannot be read."""

    def read(self, path: str) -> bytes:
        """The content of a file. Raises TreeError if there is none to read."""

    def digest(self, path: str) -> str:
        """SHA-256 of a file's content in hex, without holding it in memory. Raises TreeError as `read`."""


class FolderTree:
    """A Tree below a folder of this machine. Absolute links inside it are relative to it, as after a chroot."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Path] = {}
        """What was seen in folders and is no link, by its path: no way is gone twice, however deep it is."""

    def kind(self, path: str) -> Kind | None:
        place = self._resolve(path)
        if place is None:
            return None
        if place.is_dir():
            return Kind.FOLDER
        return Kind.FILE if place.is_file() else None

    def entries(self, folder: str) -> Iterator[Entry]:
        place = self._resolve(folder)
        if place is None:
            return
        for child in place.iterdir():
            path = f"{folder.rstrip('/')}/{child.name}"
            if not child.is_symlink():
                self._known[path] = child
            kind = self.kind(path)
            if kind is not None and os.access(self._existing(path), os.R_OK):
                yield Entry(child.name, kind, child.is_symlink())

    def read(self, path: str) -> bytes:
        try:
            return read_bytes(self._existing(path), _LARGEST)
        except OSError as error:
            raise TreeError(f"{path} cannot be read: {error.strerror}") from None

    def digest(self, path: str) -> str:
        try:
            with open_regular(self._existing(path)) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise TreeError(f"{path} cannot be read: {error.strerror}") from None

    def link_ends(self, paths: Iterable[str]) -> dict[str, str]:
        """Of those paths that lead to files: where they end, links followed."""
        ends = {path: self._resolve(path) for path in paths}
        return {
            path: f"/{place.relative_to(self._root).as_posix()}"
            for path, place in ends.items()
            if place is not None and place.is_file()
        }

    def _existing(self, path: str) -> Path:
        place = self._resolve(path)
        if place is None:
            raise TreeError(f"{path} does not exist")
        return place

    def _resolve(self, path: str) -> Path | None:
        """Where `path` leads to on this machine, links followed inside the root only; None if nowhere."""
        if path in self._known:
            known = self._known[path]
            return known if known.exists() else None
        place, links = self._root, 0
        todo = _steps(path)
        while todo:
            step = todo.pop()
            if step == "..":
                place = place if place == self._root else place.parent
                continue
            place = place / step
            if place.is_symlink():
                links += 1
                if links > _MOST_LINKS:
                    return None
                target = place.readlink().as_posix()
                place = self._root if target.startswith("/") else place.parent
                todo += _steps(target)
        return place if place.exists() else None


def _steps(path: str) -> list[str]:
    """The components of a path, the first one last."""
    return [step for step in reversed(PurePosixPath(path).parts) if step.strip("/")]
