"""Parser events -> nodes, without recursion, within limits, and without any tag that names code.

Soft faults (a key twice, a tag, a key that is no text) are collected; hard ones (an alias bomb, too deep) end it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import events as yaml_events

from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.spec import yaml_faults
from ppmlctl.spec.yaml_document import Node, Place
from ppmlctl.spec.yaml_scalar import is_ambiguous, kind_of, resolve

DEEPEST = 50
"""Collections inside one another."""
MOST_ALIASED = 100_000
"""Values that aliases may stand for, all together."""

_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters in UTF-16: escapes can write one alone, and nothing can hold it."""
_TEXT_TAG = "tag:yaml.org,2002:str"


class TooMuchError(Exception):
    """The file goes beyond a limit; the diagnostic says which."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.code)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    node: Node
    anchor: str | None
    is_mapping: bool
    is_flow: bool
    key: str | None = None


@dataclass
class Builder:
    """Builds the nodes of one file. `root` is None when the file holds no value."""

    shown_as: str
    root: Node | None = None
    faults: list[Diagnostic] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, Node | None] = field(default_factory=dict)
    _aliased: int = 0
    _documents: int = 0

    def read(self, events: Iterable[Any]) -> None:
        """Takes all events. Raises TooMuchError, and whatever the parser behind `events` raises."""
        for event in events:
            if isinstance(event, yaml_events.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml_events.CollectionStartEvent):
                self._start(event)
            elif isinstance(event, yaml_events.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml_events.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml_events.DocumentStartEvent):
                self._document(event)

    def _scalar(self, event: Any) -> None:
        self._check_tag(event)
        place, text, is_plain = _place(event), event.value, event.implicit[0] and not event.tag
        if is_plain and is_ambiguous(text):
            self._fault(place, yaml_faults.ambiguous_number(text))
        if not text.isascii() and _HALVES.search(text):
            self._fault(place, yaml_faults.half_character())
            text = ""
        if "\0" in text:
            self._fault(place, yaml_faults.nul_character())
            text = ""
        if not text and is_plain:
            place = self._place_of_key() or place
        node = Node(resolve(text) if is_plain else text, place, text if is_plain else None)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._attach(node, place)

    def _start(self, event: Any) -> None:
        self._check_tag(event)
        place = _place(event)
        if len(self._stack) >= DEEPEST:
            raise TooMuchError(self._at(place, yaml_faults.too_deep(DEEPEST)))
        is_mapping = isinstance(event, yaml_events.MappingStartEvent)
        node = Node({}, place, members={}, keys={}) if is_mapping else Node([], place, members=[])
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(node, event.anchor, is_mapping, bool(event.flow_style)))

    def _end(self) -> None:
        done = self._stack.pop()
        if done.anchor:
            self._anchors[done.anchor] = done.node
        self._attach(done.node, done.node.place, is_flow=done.is_flow)

    def _alias(self, event: Any) -> None:
        place, node = _place(event), self._anchors.get(event.anchor)
        if node is None:
            self._fault(place, yaml_faults.bad_alias(event.anchor, inside=event.anchor in self._anchors))
            node = Node(None, place, "~")
        self._aliased += node.size
        if self._aliased > MOST_ALIASED:
            raise TooMuchError(self._at(place, yaml_faults.alias_bomb(MOST_ALIASED)))
        self._attach(node, place)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise TooMuchError(self._at(_place(event), yaml_faults.many_documents()))

    def _attach(self, node: Node, place: Place, *, is_flow: bool = False) -> None:
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if parent.is_mapping and parent.key is None:
            parent.key = self._take_key(parent, node, place, is_flow=is_flow)
            return
        parent.node.size += node.size
        if isinstance(parent.node.members, list):
            parent.node.members.append(node)
            parent.node.value.append(node.value)
        elif isinstance(parent.node.members, dict) and parent.key is not None:
            parent.node.members[parent.key] = node
            parent.node.value[parent.key] = node.value
            parent.key = None

    def _take_key(self, parent: _Open, node: Node, place: Place, *, is_flow: bool) -> str:
        if not isinstance(node.value, str):
            self._fault(
                place,
                yaml_faults.expression_key()
                if parent.is_flow and is_flow
                else yaml_faults.key_no_text(node.value, node.spelling),
            )
            return f"{kind_of(node.value)} at {place}"
        if node.value == "<<" and node.spelling is not None:
            self._fault(place, yaml_faults.merge_key())
        if node.value in parent.node.keys:
            self._fault(place, yaml_faults.duplicate_key(node.value, parent.node.keys[node.value], place))
        parent.node.keys[node.value] = place
        return node.value

    def _place_of_key(self) -> Place | None:
        """The parsers disagree about where an empty value stands; its key's place is a good one."""
        parent = self._stack[-1] if self._stack else None
        return parent.node.keys.get(parent.key) if parent and parent.key is not None else None

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag != _TEXT_TAG:
            self._fault(_place(event), yaml_faults.foreign_tag())

    def _fault(self, place: Place, diagnostic: Diagnostic) -> None:
        self.faults.append(self._at(place, diagnostic))

    def _at(self, place: Place, diagnostic: Diagnostic) -> Diagnostic:
        at = Location(self.shown_as, place[0] + 1, place[1] + 1)
        return Diagnostic(diagnostic.code, diagnostic.title, diagnostic.found, diagnostic.why, diagnostic.fix, at)


def _place(event: Any) -> Place:
    return event.start_mark.line, event.start_mark.column
