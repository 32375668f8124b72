"""Faults of expressions and arguments in the project's own words, at the place where they stand."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from pydantic import ValidationError

from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.expressions import ExpressionError
from ppmlctl.playbook.parse import WrittenTask

_MOST_QUOTED = 1000
"""Characters of an expression that a message repeats."""


def expression_fault(error: ExpressionError, text: str, at: Location) -> Diagnostic:
    """A fault inside `{{ }}`."""
    place = Location(at.file, at.line, at.column + error.offset, at.path)
    return Diagnostic(
        "expression",
        "an expression cannot be evaluated",
        found="\n".join(part for part in (_beginning(text.strip()), error.message) if part),
        fix="see the task that should give this value, and its `register` and `when`",
        at=place,
    )


def _beginning(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"


def argument_faults(error: ValidationError, task: WrittenTask, known: Collection[str]) -> Iterator[Diagnostic]:
    """What is wrong with a task's arguments; values are not repeated, since they may be secret."""
    for fault in error.errors(include_input=False, include_url=False):
        path = [part for part in fault["loc"] if isinstance(part, str | int)]
        if fault["type"] == "extra_forbidden":
            yield _unknown_argument(task, path, known)
        else:
            yield Diagnostic(
                "argument-missing" if fault["type"] == "missing" else "argument-wrong",
                "a module's argument is missing" if fault["type"] == "missing" else "a module's argument does not fit",
                found=f"{task.module}.{'.'.join(map(str, path))}: {fault['msg'].lower()}",
                at=task.at(task.module, *path),
            )


def _unknown_argument(task: WrittenTask, path: list[str | int], known: Collection[str]) -> Diagnostic:
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return Diagnostic(
        "argument-unknown",
        "a module has no such argument",
        found=f"{task.module}.{'.'.join(map(str, path))}",
        fix=f"did you mean `{near[0]}`?" if near else f"arguments: {', '.join(known)}",
        at=task.document.locate_key((task.index, task.module, *path)),
    )
