"""What expressions may cost: the size of every value on the way, and the work of one evaluation and of a whole file.

Every filter, test, operator and slice weighs what it is given before it begins, and what it gives. Nothing else makes
a value larger, so no expression needs more time or memory than these figures say, whatever it is composed of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ppmlctl.expressions.errors import ExpressionError

LARGEST = 1_000_000
"""Characters of one value, where each member of a list or mapping counts for MEMBER characters."""
MEMBER = 8
MOST_BITS = 4096
"""Of a whole number."""
LONGEST_TEXT = 1 << 18
"""Characters of a text with expressions; to read one takes hundreds of bytes a character."""
MOST_WORK = 10_000_000
"""Characters and members that one evaluation may look at."""
_DEEPEST = 100
_SMALL = 10_000
"""Work of an evaluation that no file is charged for."""


@dataclass
class Budget:
    """What is left for the costly evaluations of one file or playbook together."""

    left: int = 20 * MOST_WORK


@dataclass
class _Work:
    left: int = MOST_WORK


_work: ContextVar[_Work | None] = ContextVar("_work", default=None)


@contextmanager
def limited(budget: Budget | None) -> Iterator[None]:
    """One evaluation: what is done inside is charged, to `budget` as well where it is much."""
    if budget is not None and budget.left <= 0:
        raise ExpressionError("the expressions of this file need too much time together")
    work = _Work()
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)
        spent = MOST_WORK - work.left
        if budget is not None and spent > _SMALL:
            budget.left -= spent


def charge(weight: int) -> None:
    """Notes work. Raises ExpressionError where an evaluation has done enough."""
    work = _work.get()
    if work is not None:
        work.left -= weight
        if work.left < 0:
            raise ExpressionError("it needs too much time")


def refuse_larger(size: int, operation: str) -> None:
    """Raises ExpressionError where a result would have more than LARGEST characters or members."""
    if size > LARGEST:
        raise ExpressionError(f"the result of `{operation}` is longer than {LARGEST}")


def refuse_heavy(value: Any) -> None:
    """Raises ExpressionError for a tree of values that is larger, or nested more deeply, than one value may be.

    Twice as large as one may be passes: a file of a megabyte may hold that much without an expression.
    """
    if weight(value, 2 * LARGEST) > 2 * LARGEST:
        raise ExpressionError(f"a value is longer than {2 * LARGEST}")


def weighed(value: Any, operation: str) -> int:
    """The weight of a value that `operation` is given or gives, which is charged. Raises ExpressionError."""
    found = weight(value)
    refuse_larger(found, operation)
    charge(found)
    return found


def weight(value: Any, most: int = LARGEST) -> int:
    """Characters of a value, and MEMBER for each member, nested ones counted each time they occur.

    Counting ends beyond `most`. Raises ExpressionError for numbers that are too large or not finite, and for what is
    nested too deeply.
    """
    return _weight(value, 0, 0, most)


def _weight(value: Any, total: int, depth: int, most: int) -> int:
    kind = type(value)
    if kind is str or kind is bytes:
        return total + len(value)
    if kind is int:
        return total + _number(value)
    if kind is float:
        return total + _finite(value)
    if kind is range:
        return total + MEMBER * len(value)
    if kind is dict:
        return _members((part for pair in value.items() for part in pair), total, depth, most)
    if kind is list or kind is tuple:
        return _members(value, total, depth, most)
    if isinstance(value, Mapping):
        return _members((part for pair in value.items() for part in pair), total, depth, most)
    return total + 1


def _members(members: Iterable[Any], total: int, depth: int, most: int) -> int:
    if depth > _DEEPEST:
        raise ExpressionError(f"a value has more than {_DEEPEST} mappings or lists inside one another")
    for member in members:
        total = _weight(member, total + MEMBER, depth + 1, most)
        if total > most:
            break
    return total


def _finite(value: float) -> int:
    if not math.isfinite(value):
        raise ExpressionError("a number is too large, or is none")
    return 1


def _number(value: int) -> int:
    if value.bit_length() > MOST_BITS:
        raise ExpressionError(f"a number has more than {MOST_BITS} bits")
    return 1
