"""Faults of expressions and arguments in the project's own words, at the place where they stand."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from pydantic import ValidationError

from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.expressions import ExpressionError
from ppmlctl.playbook.written import WrittenTask

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


def omitted_fault(at: Location) -> Diagnostic:
    """`omit` where there is no key and no list entry that could be dropped."""
    return Diagnostic(
        "value-omitted",
        "`omit` stands where a value is needed",
        why="it drops an argument, a key or a list entry, and here is none of them",
        fix="write a value in its place",
        at=at,
    )


def _beginning(text: str) -> str:
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"


def argument_faults(error: ValidationError, task: WrittenTask, known: Collection[str]) -> Iterator[Diagnostic]:
    """What is wrong with a task's arguments; values are not repeated, since they may be secret."""
    for fault in error.errors(include_input=False, include_url=False):
        path = [part for part in fault["loc"] if isinstance(part, str | int)]
        if fault["type"] == "extra_forbidden":
            yield _unknown_argument(task, path, known)
        elif fault["type"] == "missing":
            omitted = "it is omitted here, and " if task.is_written(task.module, *path) else ""
            found = f"{task.module}.{'.'.join(map(str, path))}: {omitted}{fault['msg'].lower()}"
            title = "a module's argument is missing"
            yield Diagnostic("argument-missing", title, found=found, at=task.at(task.module, *path))
        else:
            found = f"{task.module}.{'.'.join(map(str, path))}: {fault['msg'].lower()}"
            title = "a module's argument does not fit"
            yield Diagnostic("argument-wrong", title, found=found, at=task.at(task.module, *path))


def _unknown_argument(task: WrittenTask, path: list[str | int], known: Collection[str]) -> Diagnostic:
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return Diagnostic(
        "argument-unknown",
        "a module has no such argument",
        found=f"{task.module}.{'.'.join(map(str, path))}",
        fix=f"did you mean `{near[0]}`?" if near else f"arguments: {', '.join(known)}",
        at=task.key_at(task.module, *path),
    )
