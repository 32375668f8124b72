"""Where in the text of a manifest, or of its template, a key stands: TOML's own parser gives values without places.

Reads statements, not values, so the Jinja2 of a template does not matter. Source: TOML v1.0 "Keys", "Table", "Array".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STRING = r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'"
_TOKEN = re.compile(rf"{_STRING}|#[^\n]*|[\[\]{{}}\n]", re.DOTALL)
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


def place_of(text: str, key: Sequence[str], value: str | None = None) -> Place | None:
    """Where `key` is given; with `value`, where that string stands in what is given for the key. None if nowhere."""
    wanted = tuple(key)
    for statement in _statements(text):
        shared = min(len(wanted), len(statement.key))
        if statement.key[:shared] != wanted[:shared]:
            continue
        if value is not None:
            found = None if statement.is_header else re.search(f"[\"']{re.escape(value)}[\"']", statement.text)
            if found:
                return _place(text, statement.start + found.start() + 1)
        elif statement.key == wanted or (not statement.is_header and len(statement.key) <= len(wanted)):
            return _place(text, statement.start)
    return None


def _place(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


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
