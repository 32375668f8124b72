"""The file system that layers make together: later layers win, whiteouts remove (image-spec v1.1, layer.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ppmlctl.oci.entry import OPAQUE, WHITEOUT, Entry, File, Folder, Symlink, by_path, image_path, parents
from ppmlctl.oci.faults import bad_path, path_conflict

_MOST_LINKS = 40
"""As Linux allows on the way to one file (path_resolution(7))."""


class Kind(StrEnum):
    FOLDER = "folder"
    FILE = "file"
    LINK = "symbolic link"
    OTHER = "special file"


@dataclass(frozen=True)
class Node:
    """What is at a path: `target` of a symbolic link, `layer` and `member` in it (from 0) that hold a file."""

    kind: Kind
    target: str = ""
    layer: int = 0
    member: int = 0


class Tree:
    """The merged paths of some layers. Paths are relative to the root, as `entry.image_path` writes them."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._children: dict[str, set[str]] = {}

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> Tree:
        """The tree of one layer that is not written yet."""
        tree = cls()
        tree.add_layer((entry.path, _node(entry)) for entry in entries)
        return tree

    def add_layer(self, members: Iterable[tuple[str, Node]]) -> None:
        """Lays one layer's members over what is here. Its whiteouts count first, wherever they stand in it."""
        kept = []
        for path, node in members:
            parent, _, name = path.rpartition("/")
            if name == OPAQUE:
                self._remove_below(parent)
            elif name.startswith(WHITEOUT):
                self._remove(f"{parent}/{name.removeprefix(WHITEOUT)}".lstrip("/"))
            else:
                kept.append((path, node))
        for path, node in kept:
            if node.kind is not Kind.FOLDER:
                self._remove(path)
            self._nodes[path] = node
            self._link(path)

    def get(self, path: str) -> Node | None:
        """What is at `path` itself, links not followed."""
        return self._nodes.get(path)

    def resolve(self, path: str) -> str:
        """Where `path` ends when symbolic links are followed inside the image.

        Raises ImageError when they lead in a circle or through a file.
        """
        done: list[str] = []
        left = path.split("/")[::-1]
        links = 0
        while left:
            part = left.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del done[-1:]
                continue
            done.append(part)
            node = self._nodes.get("/".join(done))
            if node is None or node.kind is Kind.FOLDER:
                continue
            if node.kind is not Kind.LINK:
                if left:
                    raise path_conflict(path, f"{'/'.join(done)} is a {node.kind}, not a folder")
                continue
            links += 1
            if links > _MOST_LINKS:
                raise bad_path(path, "symbolic links lead in a circle")
            done = [] if node.target.startswith("/") else done[:-1]
            left.extend(reversed(node.target.split("/")))
        return "/".join(done)

    def _link(self, path: str) -> None:
        """Notes the path at the folder above it, and so on, up to one that is noted already."""
        while path:
            parent = path.rpartition("/")[0]
            beside = self._children.setdefault(parent, set())
            if path in beside:
                return
            beside.add(path)
            path = parent

    def _remove(self, path: str) -> None:
        node = self._nodes.pop(path, None)
        if node is not None and node.kind is Kind.FOLDER:
            self._remove_below(path)

    def _remove_below(self, path: str) -> None:
        below = list(self._children.pop(path, ()))
        while below:
            gone = below.pop()
            self._nodes.pop(gone, None)
            below += self._children.pop(gone, ())


def laid_over(files: Iterable[File], tree: Tree) -> list[Entry]:
    """The entries of a layer that puts `files` into `tree`, with the folders that are missing there.

    Folders that exist are not named again, and links to folders are followed: an entry for `bin` would turn a base's
    link `bin -> usr/bin` into an empty folder. Raises ImageError for paths that exclude each other.
    """
    laid: dict[str, Entry] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        path = image_path(f"{tree.resolve(folder)}/{name}")
        at_path = tree.get(path)
        if path in laid or (at_path is not None and at_path.kind is Kind.FOLDER):
            raise path_conflict(path, "a file is wanted here, and something else too")
        for parent in parents(path):
            known = tree.get(parent)
            if isinstance(laid.get(parent), File) or (known is not None and known.kind is not Kind.FOLDER):
                raise path_conflict(parent, f"is no folder, but {path} lies in it")
            if known is None:
                laid[parent] = Folder(parent)
        laid[path] = File(path, file.open, file.executable, file.source)
    return sorted(laid.values(), key=by_path)


def _node(entry: Entry) -> Node:
    if isinstance(entry, Folder):
        return Node(Kind.FOLDER)
    return Node(Kind.LINK, entry.target) if isinstance(entry, Symlink) else Node(Kind.FILE)
