"""Findings for people and machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import Diagnostic, Severity


def show_errors(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Errors go to stderr as text, or to stdout as one JSON object."""
    if as_json:
        print(json.dumps({"errors": [as_data(diagnostic) for diagnostic in diagnostics]}, ensure_ascii=False))
        return
    style = Style.of(sys.stderr)
    for number, diagnostic in enumerate(diagnostics):
        if number:
            print(file=sys.stderr)
        print(text_of(diagnostic, style), file=sys.stderr)


def text_of(diagnostic: Diagnostic, style: Style) -> str:
    """The finding as lines; its first word carries the meaning, colour only repeats it."""
    first, *rest = diagnostic.lines()
    colour = style.red if diagnostic.severity is Severity.ERROR else style.yellow
    head, separator, title = first.partition(": ")
    return "\n".join([colour(head) + separator + style.bold(title), *rest])


def as_data(diagnostic: Diagnostic) -> dict[str, object]:
    """The finding for machines."""
    at = diagnostic.at
    place = {"file": at.file, "line": at.line, "column": at.column, "path": at.path} if at else None
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.title,
        "found": diagnostic.found,
        "why": diagnostic.why,
        "fix": diagnostic.fix,
        "at": place,
    }
