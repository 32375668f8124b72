"""What in a Dockerfile only BuildKit understands; images are built by the engine's classic builder.

Pure. Source: Dockerfile reference ("Parser directives", RUN, COPY, ADD, "Here-Documents", "Automatic platform ARGs");
moby `builder/dockerfile`, the classic builder, whose flags are `--from`, `--chown` and `--platform`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ppmlctl.clients.docker.dockerfile import directives, escape_of, instructions

_SYNTAX = re.compile(r"#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_CLASSIC = {"FROM": {"--platform"}, "COPY": {"--from", "--chown"}, "ADD": {"--chown"}, "RUN": frozenset[str]()}
"""Flags that the classic builder knows, by the instructions that have any with BuildKit."""
_HERE_DOCUMENT = re.compile(r"""(?:^|\s)\d*<<-?(?:"\w+"|'\w+'|[A-Za-z_]\w*)(?=\s|$)""")
_FROM_GIT = re.compile(r"\s(git@\S+|git://\S+|(?:https?|ssh)://\S+\.git(?:[#?]\S*)?)(?=\s|$)")
_PLATFORM = re.compile(r"\$\{?((?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT))\b")
_ARGUMENT = re.compile(r"ARG\s+(\w+)\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class Need:
    """Something that needs BuildKit, and the line where it stands, counted from 1."""

    line: int
    what: str


def first_need(dockerfile: str, arguments: Collection[str] = ()) -> Need | None:
    """The first thing that needs BuildKit; None where the classic builder does. `arguments`: those that are given."""
    return next(_needs(dockerfile, arguments), None)


def _needs(dockerfile: str, arguments: Collection[str]) -> Iterator[Need]:
    for number, directive in enumerate(directives(dockerfile), 1):
        if syntax := _SYNTAX.match(directive):
            yield Need(number, f"# syntax={syntax[1]}")
    given, escape = set(arguments), escape_of(dockerfile)
    for instruction in instructions(dockerfile):
        text = re.sub(rf"{re.escape(escape)}[ \t]*\n\s*", " ", instruction.text).strip()
        if argument := _ARGUMENT.match(text):
            given.add(argument[1])
        text = re.sub(r"^ONBUILD\s+", "", text, flags=re.IGNORECASE)
        keyword = text.partition(" ")[0].upper()
        if keyword in _CLASSIC:
            yield from (Need(instruction.line, what) for what in _in_instruction(keyword, text, given))


def _in_instruction(keyword: str, text: str, given: Collection[str]) -> Iterator[str]:
    words = text[len(keyword) :]
    flags = re.match(r"(?:\s+--[a-z][^\s]*)*", words)
    for flag in (flags[0] if flags else "").split():
        name = flag.partition("=")[0]
        if name not in _CLASSIC[keyword]:
            yield f"{keyword} {name}"
    rest = words[flags.end() :] if flags else words
    if keyword == "FROM":
        yield from (f"FROM with ${name}" for name in _PLATFORM.findall(words) if name not in given)
    elif not rest.lstrip().startswith("[") and (here := _HERE_DOCUMENT.search(rest)):
        yield f"{keyword} {here[0].strip()}"
    if keyword == "ADD" and (repository := _FROM_GIT.search(rest)):
        yield f"ADD {repository[1]}"
