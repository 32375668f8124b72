"""Playbooks as they are written: blocks, tasks and outputs with their places. Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.diagnostics import Location
from ppmlctl.spec import Document
from ppmlctl.spec.key_path import KeyPath


@dataclass(frozen=True, eq=False)
class Block:
    """What a file, an import or a `block` says for all that is inside; a block is itself and nothing else."""

    document: Document
    path: KeyPath
    when: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    within: Block | None = None

    def at(self, *path: str | int) -> Location:
        """The place of a part of this block."""
        return self.document.locate((*self.path, *path))


@dataclass(frozen=True)
class WrittenTask:
    """One task as it stands in a playbook. `at` finds the place of any part of it."""

    name: str
    module: str
    arguments: Mapping[str, Any]
    document: Document
    path: KeyPath
    title: str = ""
    when: Any = None
    register: str | None = None
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    loop: Any = None
    protect: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    within: Block | None = None
    files: Mapping[str, Document] = field(default_factory=dict)
    """The arguments that stand in files of their own."""

    def at(self, *path: str | int) -> Location:
        """The place of a part of this task."""
        document, inside = self._where(path)
        return document.locate(inside)

    def key_at(self, *path: str | int) -> Location:
        """The place of the last key of `path`."""
        document, inside = self._where(path)
        return document.locate_key(inside)

    def is_written(self, *path: str | int) -> bool:
        """Whether the playbook says anything there."""
        document, inside = self._where(path)
        return document.find(inside) is not None

    @property
    def blocks(self) -> Iterator[Block]:
        """Those that it stands in, the innermost first."""
        return enclosing(self.within)

    @property
    def all_tags(self) -> frozenset[str]:
        """Its own, and those of the blocks that it stands in."""
        return frozenset(self.tags).union(*(block.tags for block in self.blocks))

    def _where(self, path: KeyPath) -> tuple[Document, KeyPath]:
        if len(path) > 1 and path[0] == self.module and path[1] in self.files:
            return self.files[str(path[1])], path[2:]
        return self.document, (*self.path, *path)


@dataclass(frozen=True)
class WrittenOutputs:
    """Named values that the recap and `ppmlctl output` show."""

    values: Mapping[str, Any]
    when: Any
    document: Document
    path: KeyPath
    variables: Mapping[str, Any] = field(default_factory=dict)
    within: Block | None = None

    def at(self, *path: str | int) -> Location:
        """The place of a part of this entry."""
        return self.document.locate((*self.path, *path))


@dataclass(frozen=True)
class Playbook:
    """All tasks of all files in the order in which they are read."""

    tasks: tuple[WrittenTask, ...]
    outputs: tuple[WrittenOutputs, ...]

    def blocks(self) -> tuple[Block, ...]:
        """All that anything stands in, in the order in which they begin."""
        innermost = dict.fromkeys([*(task.within for task in self.tasks), *(one.within for one in self.outputs)])
        return tuple(dict.fromkeys(block for one in innermost for block in reversed([*enclosing(one)])))


def enclosing(block: Block | None) -> Iterator[Block]:
    """A block and those around it, the innermost first."""
    while block is not None:
        yield block
        block = block.within
