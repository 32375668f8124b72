"""What reaches a terminal: no control characters but our own, no marks that turn text around or hide in it.

Names, messages and logs come from servers, images and files. `escaped_streams` stands before standard output and
standard error, so no view has to think of it; what it escapes is written as JSON does, which JSON reads back.
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

OWN = f"\ue000{secrets.token_hex(8)}"
"""What stands for an ESC of our own until it is written. Nobody outside of this process can know it."""

_HOSTILE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, C1 among them, but tab and newline
    "\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # direction, breaks, invisible
    "\ud800-\udfff"  # surrogates: bytes that are no UTF-8
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible: shorthand, music, tags
    "]"
)


def escaped(text: str) -> str:
    r"""The text with `\uXXXX` for every hostile character, and an ESC for each OWN."""
    return "\x1b".join(_HOSTILE.sub(_as_json, part) for part in text.split(OWN))


def on_one_line(text: str) -> str:
    """For foreign words inside a line of a view: their newlines are no lines of ours."""
    return text.replace("\n", "\\u000a")


@contextmanager
def escaped_streams() -> Iterator[None]:
    """Standard output and error take nothing hostile inside this block. Bytes that are asked for go by `buffer`."""
    with redirect_stdout(_Escaping(sys.stdout)), redirect_stderr(_Escaping(sys.stderr)):
        yield


class _Escaping:
    """A text stream before another one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.rich_proxied_file = stream
        """Where Rich writes, which draws with sequences of its own: help, and the live tree with escaped texts."""
        self.encoding = "utf-8"
        """All text is taken; a stream that knows ASCII alone is no reason for Typer to write past this one."""

    def write(self, text: str) -> int:
        self._stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _as_json(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
