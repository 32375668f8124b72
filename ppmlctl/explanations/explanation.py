"""One message of this stack that people search for: what causes it, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"[0-9a-z_]{3,}")


@dataclass(frozen=True)
class Explanation:
    """A row of the table. It is found by its number, or by its words."""

    words: str
    """As the program prints them; `…` stands for what differs each time."""
    cause: str
    remedy: str
    source: str
    """Where the fact comes from: a repository and path, an issue, or a document."""
    number: int | None = None
    """An error number that programs print in hexadecimal."""
    also: tuple[str, ...] = ()
    """Other words for the same thing."""

    @property
    def name(self) -> str:
        """The number, where there is one, and the words."""
        return self.words if self.number is None else f"{self.number:#06x} {self.words}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds the words in a line, whatever its case and spaces."""
        # Names and numbers stand on their own: `…_OUT_OF_DATE` is not in `…_OUT_OF_DATE_CONFIGURATION_NEEDED`.
        any_of = "|".join(map(_pattern, (self.words, *self.also)))
        return re.compile(rf"(?<![0-9A-Za-z_])(?:{any_of})(?![0-9A-Za-z_])", re.IGNORECASE)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Words by which rows are found that are only near."""
        return frozenset(_WORD.findall(f"{self.words} {self.cause}".lower()))


def _pattern(words: str) -> str:
    parts = (r"\s+".join(re.escape(word) for word in part.split()) for part in words.split("…"))
    return r".*?".join(parts)
