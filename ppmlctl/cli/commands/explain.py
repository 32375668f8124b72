"""`ppmlctl explain`"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator

import typer

from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.explanations import Explanation, explained, nearest, nearest_codes

_LONGEST_QUOTED = 100  # characters of the question in a message


def explain(text: str, *, as_json: bool) -> int:
    """Cause and remedy of what the text speaks of; the exit code."""
    if text == "-":
        text = sys.stdin.read()
    found = explained(text)
    if as_json:
        near = [] if found else nearest_codes(text.strip()) or [row.name for row in nearest(text)]
        typer.echo(json.dumps({"explanations": [_as_data(row) for row in found], "nearest": near}, ensure_ascii=False))
        return 0 if found else 1
    if not found:
        raise InputError(_unknown(text))
    typer.echo("\n\n".join("\n".join(_lines(row, Style.of(sys.stdout))) for row in found))
    return 0


def _as_data(row: Explanation) -> dict[str, str]:
    return {"name": row.name, "cause": row.cause, "remedy": row.remedy, "source": row.source}


def _lines(row: Explanation, style: Style) -> Iterator[str]:
    yield style.bold(row.name)
    for label, value in (("cause", row.cause), ("remedy", row.remedy), ("source", row.source)):
        yield f"  {label:<7} {value}"


def _unknown(text: str) -> Diagnostic:
    line = " ".join(text.split())
    quoted = line if len(line) <= _LONGEST_QUOTED else line[: _LONGEST_QUOTED - 1] + "…"
    near = "; ".join(nearest_codes(text.strip()) or _names(nearest(text)))
    fix = f"nearest: {near}" if near else "give an error number such as 0xe019, or a line of a log"
    return Diagnostic("explain-unknown", "nothing is known about this", quoted, fix=fix)


def _names(rows: Iterable[Explanation]) -> Iterator[str]:
    return (row.name for row in rows)
