"""What a layer holds: folders, files and symbolic links, by their path inside the image."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ppmlctl.files import open_regular
from ppmlctl.oci.faults import bad_path

WHITEOUT = ".wh."
"""A name that begins so removes another one, so no file can have it (image-spec layer.md, "Whiteouts")."""

OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True)
class Folder:
    path: str


@dataclass(frozen=True)
class Symlink:
    path: str
    target: str


@dataclass(frozen=True)
class File:
    """A regular file. `open` gives a fresh seekable stream of its content each time."""

    path: str
    open: Callable[[], io.BufferedIOBase] = field(repr=False, compare=False)
    executable: bool = False
    source: Path | None = None
    """Where the content lies on this machine; None when it is at hand in memory."""


Entry = Folder | Symlink | File


def file_of_bytes(path: str, content: bytes, *, executable: bool = False) -> File:
    """A file at `path` of the image with `content`. Raises ImageError for a path that leaves the image."""
    return File(image_path(path), lambda: io.BytesIO(content), executable)


def file_of_source(path: str, source: Path, *, executable: bool = False) -> File:
    """A file at `path` of the image whose content is read from `source` when it is needed."""
    return File(image_path(path), lambda: open_regular(source), executable, source)


def image_path(path: str) -> str:
    """The path relative to the image's root, without `.` and doubled slashes.

    Raises ImageError for the root itself, for `..`, which would leave the image, and for what no layer can hold.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts:
        raise bad_path(path, "names no file")
    if ".." in parts:
        raise bad_path(path, "holds `..`")
    if "\0" in path:
        raise bad_path(path, "holds a NUL byte")
    if any(part.startswith(WHITEOUT) for part in parts):
        raise bad_path(path, f"a name that begins with {WHITEOUT} means a removal")
    return "/".join(parts)


def by_path(entry: Entry) -> bytes:
    """The order of a layer: by the bytes of the path, so no locale matters and parents come before their children."""
    return os.fsencode(entry.path)


def parents(path: str) -> list[str]:
    """The folders above `path`, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
