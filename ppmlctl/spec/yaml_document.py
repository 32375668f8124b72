"""A YAML document as plain data, with the place of each key and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ppmlctl.diagnostics import Location
from ppmlctl.spec.key_path import KeyPath, dotted

Place = tuple[int, int]
"""Line and column, both from 0, as parsers count."""


_NO_KEYS: dict[str, Place] = {}
"""Shared by all values that are no mapping; one dict for each scalar would double the memory of a large playbook."""


@dataclass(slots=True)
class Node:
    """One value and where it stands. `size` counts the values in it, those behind aliases each time."""

    value: Any
    place: Place
    spelling: str | None = None
    """The characters of a plain scalar; None for quoted ones and for collections."""
    members: dict[str, Node] | list[Node] | None = None
    keys: dict[str, Place] = field(default_factory=lambda: _NO_KEYS)
    size: int = 1

    def member(self, step: str | int) -> Node | None:
        """The value behind a key or an index."""
        if isinstance(self.members, dict) and isinstance(step, str):
            return self.members.get(step)
        if isinstance(self.members, list) and isinstance(step, int) and 0 <= step < len(self.members):
            return self.members[step]
        return None


@dataclass(frozen=True)
class Document:
    """A file that was read. `shown_as` is its name in messages."""

    shown_as: str
    root: Node
    text: str = ""

    @property
    def value(self) -> Any:
        """Mappings, lists, text, numbers, booleans and None; never to be changed."""
        return self.root.value

    def find(self, path: KeyPath) -> Node | None:
        """The value at `path`, or None."""
        node: Node | None = self.root
        for step in path:
            node = node.member(step) if node else None
        return node

    def locate(self, path: KeyPath, offset: int = 0) -> Location:
        """Where the value at `path` begins, or `offset` characters into it; of a missing one, the nearest key above."""
        node = self.find(path)
        if node is None:
            return self.locate_key(path)
        line, column = node.place
        return self._location((line, column + self._inside(node, offset)), path)

    def locate_key(self, path: KeyPath) -> Location:
        """Where the last key of `path` is written (of a list's member, the member); of a missing one, the nearest."""
        for depth in range(len(path), 0, -1):
            parent, last = self.find(path[: depth - 1]), path[depth - 1]
            if parent is not None and isinstance(last, str) and last in parent.keys:
                return self._location(parent.keys[last], path)
            if parent is not None and isinstance(last, int) and (member := parent.member(last)):
                return self._location(member.place, path)
        return self._location(self.root.place, path)

    def spelling(self, path: KeyPath) -> str | None:
        """A plain scalar as it is spelt: `1.10`, where the value is 1.1."""
        node = self.find(path)
        return node.spelling if node else None

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def _inside(self, node: Node, offset: int) -> int:
        """Columns to the character `offset` of a scalar; 0 where it is folded or escaped, so that none can be told."""
        if offset <= 0 or not isinstance(node.value, str):
            return 0
        line, column = node.place
        written = self._lines[line][column:]
        shift = offset if node.spelling is not None else offset + 1
        return shift if written[shift:].startswith(node.value[offset:].split("\n")[0]) else 0

    def _location(self, place: Place, path: KeyPath) -> Location:
        return Location(self.shown_as, place[0] + 1, place[1] + 1, dotted(path))
