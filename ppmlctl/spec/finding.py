"""Something wrong with ppml.yaml, said of a key path; the document turns it into a diagnostic with a position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ppmlctl.diagnostics import Diagnostic, Severity
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.yaml_document import Document

MOST_NAMED = 20
"""Words that one message offers."""


@dataclass(frozen=True)
class Finding:
    """`at_key` places it at the key instead of the value; `offset` at a character of the value."""

    path: KeyPath
    code: str
    title: str
    found: str = ""
    why: str = ""
    fix: str = ""
    severity: Severity = Severity.ERROR
    at_key: bool = False
    offset: int = 0

    def in_document(self, document: Document) -> Diagnostic:
        """The same with its place in the file; without a path, without a place."""
        at = document.locate_key(self.path) if self.at_key else document.locate(self.path, self.offset)
        place = at if self.path else None
        return Diagnostic(self.code, self.title, self.found, self.why, self.fix, place, self.severity)


def warning(path: KeyPath, code: str, title: str, **details: Any) -> Finding:
    """A finding that does not stop anything."""
    return Finding(path, code, title, severity=Severity.WARNING, **details)


def nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean X?`, or else which words there are."""
    return did_you_mean(word, known) or (f"use {_either(known[:MOST_NAMED])}" if known else "")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The known word that `word` is probably meant to be, as a question; empty when none is near."""
    close = get_close_matches(word, known, n=1, cutoff=0.6) if re.search("[a-zA-Z]", word) else []
    return f"did you mean `{close[0]}`?" if close else ""


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
