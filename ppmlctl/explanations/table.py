"""The one table, and how a text finds its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppmlctl.explanations import ehsm, pods, quote_provider, runtime
from ppmlctl.explanations.explanation import Explanation

TABLE: tuple[Explanation, ...] = (
    *quote_provider.ROWS,
    *quote_provider.RESULTS,
    *runtime.ROWS,
    *ehsm.ROWS,
    *pods.ROWS,
)
_BY_NUMBER = {row.number: row for row in TABLE if row.number is not None}
_NUMBER_ALONE = re.compile(r"(?:0x)?0*([0-9a-f]{1,4})", re.IGNORECASE)
_NUMBER_IN_TEXT = re.compile(r"\b0x0{0,4}([0-9a-f]{4})\b", re.IGNORECASE)
_ABOUT_ERRORS = re.compile(r"err|fail|sgx|aesm|quote|attest|status|result", re.IGNORECASE)
_NEAREST = 3
_INFORMATION = re.compile(r"\bINFO\b")
_MOST_MEANT = 3


def explained(text: str) -> list[Explanation]:
    """The rows that a text speaks of, in the order of its lines; nothing where none is known.

    A text may be a log, one message, or an error number alone, in hexadecimal with or without `0x`, or in decimal.
    """
    alone = _by_number_alone(text.strip())
    if alone is not None:
        return [alone]
    found = (row for line in text.splitlines() for row in _in_line(line))
    return list(dict.fromkeys(found))


def meanings(log: str) -> list[str]:
    """What the last faults in a log mean, one line each, for those that read why something failed.

    Lines that only inform are passed over: what a program does as it was told is no fault.
    """
    found: dict[str, Explanation] = {}
    for line in reversed(log.splitlines()):
        if not _INFORMATION.search(line):
            found |= {row.name: row for row in _in_line(line) if row.name not in found}
        if len(found) >= _MOST_MEANT:
            break
    return [f"{row.name}: {row.cause}; {row.remedy}" for row in reversed(list(found.values())[:_MOST_MEANT])]


def nearest(text: str) -> list[Explanation]:
    """The rows that share most words with a text, best first; for when none is known."""
    words = set(re.findall(r"[0-9a-z_]{3,}", text.lower()))
    scored = [(len(words & row.vocabulary), -index) for index, row in enumerate(TABLE)]
    best = sorted((score for score in scored if score[0]), reverse=True)[:_NEAREST]
    return [TABLE[-index] for _, index in best]


def answer_of_ehsm(words: str) -> Explanation | None:
    """The row of an answer that EHSM gave, word for word."""
    return next((row for row in ehsm.ROWS if row.words == words), None)


def _by_number_alone(text: str) -> Explanation | None:
    match = _NUMBER_ALONE.fullmatch(text)
    if match and int(match[1], 16) in _BY_NUMBER:
        return _BY_NUMBER[int(match[1], 16)]
    return _BY_NUMBER.get(int(text)) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _in_line(line: str) -> Iterator[Explanation]:
    if _ABOUT_ERRORS.search(line):
        numbers = (int(digits, 16) for digits in _NUMBER_IN_TEXT.findall(line))
        yield from (_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER)
    yield from (row for row in TABLE if row.pattern.search(line))
