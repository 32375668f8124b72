"""The lines of a log that people want to see where a run failed."""

from __future__ import annotations

import re

_SHOWN = re.compile(
    r"\b(ERROR|FATAL|WARN|[Ee]rror|Exception|Caused by|[Ff]ailed|[Rr]efused|not exist|not ready|is empty|ppmlctl)\b"
)
_NOISE = re.compile(r"^\s+at |NativeCodeLoader|illegal reflective access|^WARNING: ")
_MOST_SHOWN, _LAST = 14, 6


def telling_lines(log: str) -> list[str]:
    """The lines that speak of trouble, then the last ones, without stack frames."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    last = len(lines) - _LAST
    early = [line for line in lines[: max(last, 0)] if _SHOWN.search(line) and not _NOISE.search(line)]
    return [*early[-_MOST_SHOWN:], *(line for line in lines[max(last, 0) :] if not line.startswith("\tat "))]
