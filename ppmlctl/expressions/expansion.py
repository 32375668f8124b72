"""How much expressions may make of a file: variables that hold variables can double at every step."""

from __future__ import annotations

from typing import Any

LARGEST = 1_000_000
"""Values and characters that all expressions of a file give together."""
DEEPEST = 50
"""Collections inside one another."""


class ExpansionError(Exception):
    """Expressions give more than the limit; the message says more of what."""


class Expansion:
    """Counts what expressions give, and stops at the limit, before memory or patience end."""

    def __init__(self, left: int = LARGEST) -> None:
        self._left = left

    def reserve(self, weight: int) -> None:
        """Refuses what would not fit. Raises ExpansionError."""
        if weight > self._left:
            raise ExpansionError(f"more than {LARGEST:,} values and characters")

    def take(self, value: Any) -> tuple[Any, int]:
        """A copy that shares nothing, and its weight. Raises ExpansionError."""
        before = self._left
        copy = self._copy(value, 0)
        return copy, before - self._left

    def _copy(self, value: Any, depth: int) -> Any:
        weight = 1 + (len(value) if isinstance(value, str) else 0)
        self.reserve(weight)
        self._left -= weight
        if not isinstance(value, dict | list):
            return value
        if depth >= DEEPEST:
            raise ExpansionError(f"more than {DEEPEST} mappings or lists inside one another")
        if isinstance(value, list):
            return [self._copy(member, depth + 1) for member in value]
        return {key: self._copy(member, depth + 1) for key, member in value.items()}
