"""The one table, and how a text finds its rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from ppmlctl.explanations import domains, ehsm, gramine, own_codes, pods, quote_network, quote_provider, runtime, spark
from ppmlctl.explanations.explanation import Explanation

TABLE: tuple[Explanation, ...] = (
    *quote_provider.ROWS,
    *quote_provider.RESULTS,
    *quote_provider.CERTIFICATION,
    *quote_network.ROWS,
    *domains.ROWS,
    *runtime.ROWS,
    *gramine.ROWS,
    *ehsm.ROWS,
    *pods.ROWS,
    *spark.ROWS,
)
_BY_NUMBER = {row.number: row for row in TABLE if row.number is not None}
_NUMBER_ALONE = re.compile(r"(?:0x)?0*([0-9a-f]{1,5})", re.IGNORECASE)
_NUMBER_IN_TEXT = re.compile(
    r"""
    \b0x0{0,4}([0-9a-f]{4,5})\b               # as most programs print it
    | \bSGX[ _]?Error\s*[:=]?\s*([0-9a-f]{4})\b  # as Intel's quoting library does, and it means hexadecimal
    | (?<![0-9a-z_-])((?:e0|b0|a0|f0)[0-9a-f]{2})(?![0-9a-z_-])  # no decimal number, and no word
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_ERRORS = re.compile(r"err|fail|sgx|aesm|quote|attest|status|result", re.IGNORECASE)
_NEAREST = 3
_COMMON = 36
"""Rows, about one in ten, from which on a word tells nothing apart."""
_EVERYWHERE = frozenset(["and", "are", "but", "does", "failed", "its", "may", "one", "than", "too", "was", "with"])
_NAMES = frozenset(["java", "lang", "net", "org"])
_RARE = 2
_INFORMATION = re.compile(r"\bINFO\b")
_MOST_MEANT = 3


def explained(text: str) -> list[Explanation]:
    """The rows that a text speaks of, in the order of its lines; nothing where none is known.

    A text may be a log, one message, a code of ppmlctl's own, or an error number alone, in hexadecimal with or without
    `0x`, or in decimal.
    """
    alone = _by_number_alone(text.strip())
    if alone is not None:
        return [alone]
    own = own_codes.explanation(text.strip())
    if own is not None:
        return [own]
    found = (row for line in text.splitlines() for row in _in_line(line))
    return list(dict.fromkeys(found))


def meanings(log: str) -> list[str]:
    """What the last faults in a log mean, one line each, for those that read why something failed.

    Lines that only inform are passed over: what a program does as it was told is no fault. Of one line the row that
    says most comes first, as in the table.
    """
    found: dict[str, Explanation] = {}
    for line in reversed(log.splitlines()):
        if _INFORMATION.search(line):
            continue
        more = [row for row in {row.name: row for row in _in_line(line)}.values() if row.name not in found]
        found = {row.name: row for row in (*more[: _MOST_MEANT - len(found)], *found.values())}
        if len(found) == _MOST_MEANT:
            break
    return [f"{row.name}: {row.cause}; {row.remedy}" for row in found.values()]


def nearest(text: str) -> list[Explanation]:
    """The rows that share most words with a text, best first; for when none is known.

    Words of many rows say nothing, and one shared word alone only where hardly another row has it.
    """
    counted = _rows_by_word()
    every = set(re.findall(r"[0-9a-z_]{3,}", text.lower()))
    words = {word for word in every if 0 < counted[word] <= _COMMON} - _EVERYWHERE - _NAMES
    scored = []
    for index, row in enumerate(_of_different_causes()):
        shared = words & row.vocabulary
        if len(shared) > 1 or any(counted[word] <= _RARE for word in shared):
            scored.append((len(shared), len(every & row.vocabulary), -index, row))
    return [row for *_, row in sorted(scored, key=lambda one: one[:3], reverse=True)[:_NEAREST]]


@cache
def _of_different_causes() -> tuple[Explanation, ...]:
    """One of several rows that say the same, such as those of a number for enclaves and for domains."""
    return tuple({row.cause: row for row in reversed(TABLE)}.values())[::-1]


@cache
def _rows_by_word() -> Counter[str]:
    return Counter(word for row in _of_different_causes() for word in row.vocabulary)


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
        numbers = (int("".join(digits), 16) for digits in _NUMBER_IN_TEXT.findall(line))
        yield from (_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER)
    yield from (row for row in TABLE if row.pattern.search(line))
    yield from own_codes.printed_in(line)
