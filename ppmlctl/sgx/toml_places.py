"""Where in the text of a manifest, or of its template, a key stands: TOML's own parser gives values without places.

Reads statements, not values, so the Jinja2 of a template does not matter. Source: TOML v1.0 "Keys", "Table", "Array".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_SHORT = r'"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'"
_LONG = r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''"
_SHORT_STRING = re.compile(_SHORT)
_TOKEN = re.compile(rf"{_LONG}|{_SHORT}|#[^\n]*|[\[\]{{}}\n]", re.DOTALL)
_PART = r'(?:[A-Za-z0-9_-]+|"[^"\n]*"|' + r"'[^'\n]*')"
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"\[\[?[ \t]*({_KEY})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"({_KEY})[ \t]*=")
_DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, order=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class _Statement:
    """One header or assignment: its whole key, and its text from the key on."""

    key: tuple[str, ...]
    start: int
    text: str
    is_header: bool

    @cached_property
    def strings(self) -> Mapping[str, int]:
        """Where each quoted string begins in the text, for the first time; as it is written, escapes and all."""
        found: dict[str, int] = {}
        for match in _SHORT_STRING.finditer(self.text):
            found.setdefault(match[0][1:-1], match.start() + 1)
        return found


class Places:
    """The places in one text, which is read once however many are asked for."""

    def __init__(self, text: str) -> None:
        self._statements = tuple(_statements(text))
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, key: Sequence[str], value: str | None = None) -> Place | None:
        """Where `key` is given; with `value`, where that string stands in what it is given. None if nowhere."""
        wanted = tuple(key)
        for statement in self._statements:
            shared = min(len(wanted), len(statement.key))
            if statement.key[:shared] != wanted[:shared]:
                continue
            if value is not None:
                if not statement.is_header and value in statement.strings:
                    return self._place(statement.start + statement.strings[value])
            elif statement.key == wanted or (not statement.is_header and len(statement.key) <= len(wanted)):
                return self._place(statement.start)
        return None

    def _place(self, position: int) -> Place:
        line = bisect_right(self._line_starts, position)
        return Place(line, position - self._line_starts[line - 1] + 1)


def _statements(text: str) -> Iterator[_Statement]:
    table: tuple[str, ...] = ()
    for start, content in _lines(text):
        if header := _HEADER.match(content):
            table = _parts(header[1])
            yield _Statement(table, start, content, is_header=True)
        elif assignment := _ASSIGNMENT.match(content):
            yield _Statement((*table, *_parts(assignment[1])), start, content, is_header=False)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Position and text of each logical line: line ends inside brackets and strings do not count."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        depth = max(0, depth + _DEPTHS.get(token[0], 0))
        if token[0] == "\n" and not depth:
            yield from _stripped(text, start, token.start())
            start = token.end()
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    content = text[start:end]
    indentation = len(content) - len(content.lstrip())
    if content.strip():
        yield start + indentation, content[indentation:]


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
