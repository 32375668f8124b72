"""Where the server stored something else than was sent: it filled in a default, dropped a field, or spelt it otherwise.

That is noted after an apply, by path and by digest of what is there; usually there is nothing to note. What is noted
is no drift until it changes. The digest is keyed: what is there may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ppmlctl.kubernetes.differences import ABSENT, FieldDifference

Digest = Callable[[bytes], str | None]
"""Keyed digest; None while its key is not at hand."""

NOT_THERE = "absent"
"""Instead of a digest, for a field that was sent and is not there."""


def noted(found: Iterable[FieldDifference], digest: Digest) -> dict[str, str]:
    """What to note of the differences between what was just sent and what is there. Without a key only the absent."""
    notes = {difference.path: _note(difference, digest) for difference in found}
    return {path: note for path, note in sorted(notes.items()) if note is not None}


def not_noted(found: Iterable[FieldDifference], notes: Mapping[str, str], digest: Digest) -> list[FieldDifference]:
    """The differences that were not there after the last apply, or not so; all that cannot be told among them."""
    return [one for one in found if one.path not in notes or notes[one.path] != _note(one, digest)]


def _note(difference: FieldDifference, digest: Digest) -> str | None:
    if difference.plain is ABSENT:
        return NOT_THERE
    return digest(f"{difference.path}\0{json.dumps(difference.plain, sort_keys=True, default=_as_text)}".encode())


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
