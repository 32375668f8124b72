"""Parser events -> nodes, without recursion, within limits, and without any tag that names code.

Soft faults (a key twice, a tag, a key that is no text) are collected; hard ones (an alias bomb, too deep) end it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import events as yaml_events

from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.spec.yaml_document import Node, Place
from ppmlctl.spec.yaml_scalar import is_ambiguous, kind_of, resolve

DEEPEST = 50
"""Collections inside one another."""
MOST_ALIASED = 100_000
"""Values that aliases may stand for, all together."""

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
            self._fault(place, _ambiguous_number(text))
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
            raise TooMuchError(self._at(place, _too_deep()))
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
            self._fault(place, _bad_alias(event.anchor, inside=event.anchor in self._anchors))
            node = Node(None, place, "~")
        self._aliased += node.size
        if self._aliased > MOST_ALIASED:
            raise TooMuchError(self._at(place, _alias_bomb()))
        self._attach(node, place)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise TooMuchError(self._at(_place(event), _many_documents()))

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
            self._fault(place, _expression_key() if parent.is_flow and is_flow else _key_no_text(node))
            return f"{kind_of(node.value)} at {place}"
        if node.value == "<<" and node.spelling is not None:
            self._fault(place, _merge_key())
        if node.value in parent.node.keys:
            self._fault(place, _duplicate_key(node.value, parent.node.keys[node.value], place))
        parent.node.keys[node.value] = place
        return node.value

    def _place_of_key(self) -> Place | None:
        """The parsers disagree about where an empty value stands; its key's place is a good one."""
        parent = self._stack[-1] if self._stack else None
        return parent.node.keys.get(parent.key) if parent and parent.key is not None else None

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag != _TEXT_TAG:
            self._fault(_place(event), _foreign_tag())

    def _fault(self, place: Place, diagnostic: Diagnostic) -> None:
        self.faults.append(self._at(place, diagnostic))

    def _at(self, place: Place, diagnostic: Diagnostic) -> Diagnostic:
        at = Location(self.shown_as, place[0] + 1, place[1] + 1)
        return Diagnostic(diagnostic.code, diagnostic.title, diagnostic.found, diagnostic.why, diagnostic.fix, at)


def _place(event: Any) -> Place:
    return event.start_mark.line, event.start_mark.column


def _too_deep() -> Diagnostic:
    return Diagnostic(
        "yaml-too-deep",
        "the file nests too deep",
        f"more than {DEEPEST} mappings or lists inside one another",
        fix="nest less; nothing that ppmlctl reads needs more than a dozen levels",
    )


def _alias_bomb() -> Diagnostic:
    return Diagnostic(
        "yaml-alias-bomb",
        "aliases stand for too many values",
        f"more than {MOST_ALIASED:,} values behind aliases",
        "a few lines of aliases of aliases could fill the memory",
        "write the values out, or share them through `vars`",
    )


def _bad_alias(name: str, *, inside: bool) -> Diagnostic:
    if inside:
        found, fix = f"*{name} stands inside the value &{name} itself", "remove the alias"
    else:
        found, fix = f"*{name} names no anchor above it", f"put &{name} before the value it should stand for"
    return Diagnostic("yaml-alias", "an alias has no value", found, fix=fix)


def _many_documents() -> Diagnostic:
    return Diagnostic(
        "yaml-many-documents",
        "the file holds more than one document",
        "a second `---`",
        fix="keep one document in one file",
    )


def _ambiguous_number(text: str) -> Diagnostic:
    return Diagnostic(
        "yaml-number",
        "a number begins with a zero",
        text,
        "some readers take it as octal, others as decimal",
        f'write "{text}" for text, or 0o{text.lstrip("+-0") or "0"} for an octal number',
    )


def _foreign_tag() -> Diagnostic:
    return Diagnostic(
        "yaml-tag",
        "a value has a tag",
        "a tag (!name) that is not offered",
        "tags can make a reader run code; plain values are enough here",
        "remove the tag",
    )


def _expression_key() -> Diagnostic:
    return Diagnostic(
        "yaml-key",
        "an expression stands without quotes",
        "{{ without quotes opens a YAML mapping",
        fix='quote it: "{{ name }}"',
    )


def _key_no_text(node: Node) -> Diagnostic:
    fix = f'quote the key: "{node.spelling}"' if node.spelling else "use plain text as the key"
    return Diagnostic("yaml-key", "a key is not text", kind_of(node.value), fix=fix)


def _merge_key() -> Diagnostic:
    return Diagnostic(
        "yaml-merge-key",
        "merge keys are not offered",
        "<<",
        "YAML 1.2 has no merge key",
        "write the keys out, or share values through `vars`",
    )


def _duplicate_key(name: str, first: Place, second: Place) -> Diagnostic:
    return Diagnostic(
        "yaml-duplicate-key",
        "a key stands twice in one mapping",
        f"`{name}` in line {first[0] + 1} and again in line {second[0] + 1}",
        "only one of them could count",
        "remove one, or join them",
    )
