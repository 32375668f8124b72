"""Colours, on a terminal only, and never the only carrier of meaning."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

from ppmlctl.cli.terminal_text import OWN


@dataclass(frozen=True)
class Style:
    """Wraps text in ANSI sequences, or leaves it as it is. They become such where they are written."""

    coloured: bool

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Colours for a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal is dumb."""
        return cls(stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")

    def _wrap(self, code: str, text: str) -> str:
        return f"{OWN}[{code}m{text}{OWN}[0m" if self.coloured and text else text

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        return self._wrap("33", text)

    def magenta(self, text: str) -> str:
        return self._wrap("35", text)

    def cyan(self, text: str) -> str:
        return self._wrap("36", text)
