"""`.dockerignore`, read and applied as Docker does it.

docker-py's own matcher answers otherwise where `**` and exceptions meet. Source: moby, `patternmatcher` (patterns),
`ignorefile` (the file), `pkg/archive` (which folders are entered); docker/cli, `build.TrimBuildFilesFromExcludes` (what
is sent all the same).
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

IGNORE_FILE = ".dockerignore"
_PLAIN = re.compile(r"[^*?\\\[\].+()|{}$^]+")


@dataclass(frozen=True)
class Pattern:
    """One line; `excepts` where it begins with `!`. Of several that match, the last one counts."""

    text: str
    excepts: bool = False

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("".join(_translated(self.text)))

    def matches(self, path: str) -> bool:
        """Whether it names `path` or a folder above it."""
        return any(self._regex.fullmatch(place) for place in _with_parents(path))

    def reaches_into(self, folder: str) -> bool:
        """Whether something below an ignored `folder` may be an exception; Docker compares the texts only."""
        return self.excepts and f"{self.text}/".startswith(f"{folder}/")


def read_patterns(text: str) -> list[Pattern]:
    """The patterns of a .dockerignore. Raises ValueError for one that Docker refuses."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        stripped = "" if line.startswith("#") else line.strip()
        excepts = stripped.startswith("!")
        pattern = stripped[1:].strip() if excepts else stripped
        if excepts and not pattern:
            raise ValueError("`!` names nothing")
        if pattern:
            found.append(_compiled(_cleaned(pattern), excepts=excepts))
    return found


def sent_paths(folder: Path, patterns: Sequence[Pattern], kept: Iterable[str]) -> set[str]:
    """What of `folder` a build is sent: all but what is ignored; what the engine needs, is `kept` all the same."""
    return set(_walk(folder, "", [*patterns, *(Pattern(path, excepts=True) for path in kept)]))


def is_ignored(path: str, patterns: Sequence[Pattern]) -> bool:
    """Whether the last pattern that matches `path` or a folder above it is no exception."""
    ignored = False
    for pattern in patterns:
        if pattern.excepts == ignored and pattern.matches(path):
            ignored = not pattern.excepts
    return ignored


def _walk(folder: Path, prefix: str, patterns: Sequence[Pattern]) -> Iterator[str]:
    for member in os.scandir(folder):
        path = f"{prefix}{member.name}"
        ignored = is_ignored(path, patterns)
        if not ignored:
            yield path
        if member.is_dir(follow_symlinks=False) and not (
            ignored and not any(pattern.reaches_into(path) for pattern in patterns)
        ):
            yield from _walk(Path(member.path), f"{path}/", patterns)


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = posixpath.dirname(path)


def _cleaned(pattern: str) -> str:
    """As Go's `filepath.Clean`, and without a slash in front."""
    cleaned = posixpath.normpath(pattern)
    return cleaned.lstrip("/") if len(cleaned) > 1 else cleaned


def _compiled(text: str, *, excepts: bool) -> Pattern:
    pattern = Pattern(text, excepts)
    try:
        pattern.matches(text)  # compiles it
    except re.error:
        raise ValueError(f"`{text}` is no pattern") from None
    return pattern


def _translated(text: str) -> Iterator[str]:
    """The parts of the regular expression: `*` and `?` stop at a slash, `**` does not, the rest is as there."""
    place = 0
    while place < len(text):
        rest = text[place:]
        if rest.startswith("**"):
            place += 3 if rest.startswith("**/") else 2
            yield ".*" if place >= len(text) else "(.*/)?"
            continue
        plain = _PLAIN.match(rest)
        if plain:
            place += plain.end()
            yield plain[0]
            continue
        character = rest[0]
        if character == "\\" and len(rest) > 1:
            place += 1
            yield re.escape(rest[1])
        else:
            yield {"*": "[^/]*", "?": "[^/]", "[": "[", "]": "]", "^": "^"}.get(character) or re.escape(character)
        place += 1
