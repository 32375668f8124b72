"""Which line of a Dockerfile a build step is, so that a failed build can show it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ppmlctl.clients.docker.context import Build
from ppmlctl.diagnostics import Location

_STEP = re.compile(r"Step (\d+)/\d+ : ")
_PARSING = re.compile(r"parse error (?:on )?line (\d+)")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")


@dataclass(frozen=True)
class Instruction:
    """One instruction as it is written, over several lines where it is continued; lines count from 1."""

    line: int
    text: str


def instructions(dockerfile: str) -> list[Instruction]:
    """The instructions in order, comments and empty lines left out.

    Source: Dockerfile reference, "Parser directives" and "Format"; the classic builder, which knows no here-documents.
    """
    escape = escape_of(dockerfile)
    found: list[Instruction] = []
    begun: list[str] = []
    first = 0
    for number, line in enumerate(dockerfile.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue  # also between the lines of one instruction
        first = first if begun else number
        begun.append(line.rstrip())
        if not line.rstrip().endswith(escape):
            found.append(Instruction(first, "\n".join(begun)))
            begun = []
    return [*found, Instruction(first, "\n".join(begun))] if begun else found


def place_of(step: str, reason: str, build: Build) -> Location | None:
    """Where the instruction stands that the engine calls `Step 3/7 : …`, or that it cannot parse.

    None where the Dockerfile was made up, and for what the engine added itself, such as labels.
    """
    if build.folder is None:
        return None
    line = line_of(step, reason, build.dockerfile_text())
    return Location(build.written or f"{build.folder}/{build.dockerfile}", line, 1) if line else None


def line_of(step: str, reason: str, dockerfile: str) -> int | None:
    """The line, counted from 1."""
    parsing, match = _PARSING.search(reason), _STEP.match(step)
    if match is None:
        return int(parsing[1]) if parsing else None
    known, number = instructions(dockerfile), int(match[1])
    return known[number - 1].line if number <= len(known) else None


def escape_of(dockerfile: str) -> str:
    """What continues a line: a backslash, unless a directive says otherwise."""
    return next((match[1] for match in map(_ESCAPE.match, directives(dockerfile)) if match), "\\")


def directives(dockerfile: str) -> Iterator[str]:
    """The comments at the top that may be directives: they end with the first line of another form."""
    for line in dockerfile.splitlines():
        if not _DIRECTIVE.match(line):
            return
        yield line
