"""What is wrong with the shape of an entry of a playbook; nothing is evaluated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.expressions import ExpressionError, is_expression, parse
from ppmlctl.planning.selection import ALL, TAGGED, UNTAGGED
from ppmlctl.playbook.words import (
    BLOCK_KEYS,
    ENTRY_KEYS,
    FILE_KEYS,
    FLOWS,
    IMPORT_KEYS,
    OMIT_NAME,
    OUTPUTS_KEYS,
    TASK_KEYS,
)
from ppmlctl.spec import Document
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.yaml_scalar import kind_of

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?")
_REGISTER = re.compile(r"[a-z_][a-z0-9_]*")
_NO_TAGS = (ALL, TAGGED, UNTAGGED)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_Entry = Mapping[str, Any]


def task_faults(document: Document, path: KeyPath, entry: _Entry, kinds: Collection[str]) -> Iterator[Diagnostic]:
    """Of a task: its name, its module, and the keys that say how it is dealt with."""
    at = document.locate(path)
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Diagnostic(
            "task-name",
            "a task needs a name of lower-case letters, digits and hyphens",
            found=f"name: {name}" if name is not None else "no name",
            why="the name is the task's identity in the lockfile and on what it makes",
            at=document.locate((*path, "name")) if "name" in entry else at,
        )
    modules = [key for key in entry if key not in TASK_KEYS]
    unknown = [key for key in modules if key not in kinds]
    for key in unknown:
        yield _unknown_task_key(document, path, key, kinds)
    if not unknown and len(modules) != 1:
        found = ", ".join(modules) or "no module"
        yield Diagnostic("task-module", "a task names exactly one module", found=found, at=at)
    if len(modules) == 1 and not unknown and not isinstance(entry[modules[0]], dict | None):
        place = document.locate((*path, modules[0]))
        yield Diagnostic("task-arguments", "a module's arguments are a mapping", at=place)
    yield from _own_faults(document, path, entry)
    yield from _shared_faults(document, path, entry)


def block_faults(document: Document, path: KeyPath, entry: _Entry) -> Iterator[Diagnostic]:
    """Of a `block`."""
    yield from _unknown_keys(document, path, "block", BLOCK_KEYS)
    yield from _shared_faults(document, path, entry)
    yield from _tasks_faults(document, (*path, "block"), "a block")


def file_faults(document: Document) -> Iterator[Diagnostic]:
    """Of a whole file that is a mapping."""
    yield from _unknown_keys(document, (), "file", FILE_KEYS)
    yield from _shared_faults(document, (), document.value)
    yield from _tasks_faults(document, ("tasks",), "a file")


def import_faults(document: Document, path: KeyPath, entry: _Entry) -> Iterator[Diagnostic]:
    """Of an import."""
    yield from _unknown_keys(document, path, "import", IMPORT_KEYS)
    yield from _shared_faults(document, path, entry)
    if not isinstance(entry["import"], str) and not _is_of_flows(entry["import"]):
        at = document.locate((*path, "import"))
        yield Diagnostic("playbook-import", "an import is the name of a file", fix="- import: images.yaml", at=at)


def _is_of_flows(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {FLOWS} and isinstance(value[FLOWS], str)


def outputs_faults(document: Document, path: KeyPath, entry: _Entry) -> Iterator[Diagnostic]:
    """Of outputs."""
    yield from _unknown_keys(document, path, "outputs", OUTPUTS_KEYS)
    yield from _shared_faults(document, path, entry)
    if not isinstance(entry["outputs"], dict | None):
        at = document.locate((*path, "outputs"))
        yield Diagnostic("playbook-outputs", "outputs are a mapping of names to values", at=at)


def _tasks_faults(document: Document, path: KeyPath, what: str) -> Iterator[Diagnostic]:
    node = document.find(path)
    tasks = node.value if node else None
    if not isinstance(tasks, list | None):
        yield Diagnostic("block-tasks", f"{what} holds a list of tasks", at=document.locate(path))
    elif not tasks:
        fix = f"write tasks under `{path[-1]}`, or take it away"
        yield Diagnostic("block-empty", f"{what} has no tasks", fix=fix, at=document.locate_key(path))


def _shared_faults(document: Document, path: KeyPath, entry: _Entry) -> Iterator[Diagnostic]:
    yield from _when_faults(document, (*path, "when"), entry.get("when"))
    for key in ("needs", "tags"):
        yield from _list_faults(document, (*path, key), entry.get(key))
    variables = entry.get("vars")
    if not isinstance(variables, dict | None):
        yield Diagnostic("task-vars", "`vars` is a mapping", at=document.locate((*path, "vars")))
    elif variables and OMIT_NAME in variables:
        yield reserved(document.locate_key((*path, "vars", OMIT_NAME)))


def _when_faults(document: Document, path: KeyPath, when: Any) -> Iterator[Diagnostic]:
    conditions = [((*path, index), one) for index, one in enumerate(when)] if isinstance(when, list) else [(path, when)]
    for place, one in conditions:
        is_one = isinstance(one, bool) or (isinstance(one, str) and one.strip()) or (one is None and place == path)
        if not is_one:
            yield Diagnostic(
                "task-when",
                "`when` is an expression, or a list of them of which all must hold",
                found=kind_of(one),
                fix='when: "{{ env.keys is not none }}"',
                at=document.locate(place),
            )
        elif isinstance(one, str) and _has_text_around(one):
            yield Diagnostic(
                "task-when",
                "`when` has text around its braces",
                found=one.strip(),
                why="together they are a text, which would always hold",
                fix="write the whole condition without braces: when: env.keys is not none",
                at=document.locate(place),
            )


def _has_text_around(condition: str) -> bool:
    try:
        return is_expression(condition) and not parse(condition.strip()).is_alone
    except ExpressionError:
        return False  # told where it is evaluated


def _list_faults(document: Document, path: KeyPath, value: Any) -> Iterator[Diagnostic]:
    key, title = path[-1], f"`{path[-1]}` is a list of names"
    if value is None:
        return
    if not isinstance(value, list):
        fix = f"{key}: [{value}]" if isinstance(value, str) else f"{key}: [a, b]"
        yield Diagnostic("task-list", title, found=kind_of(value), fix=fix, at=document.locate(path))
        return
    for index, member in enumerate(value):
        at = document.locate((*path, index))
        if not isinstance(member, str):
            yield Diagnostic("task-list", title, found=kind_of(member), at=at)
        elif key == "tags" and (not _TAG.fullmatch(member) or member in _NO_TAGS):
            why = f"`{member}` means something else after --tags" if member in _NO_TAGS else ""
            title = "a tag is a word of letters, digits, `_`, `.` and `-`"
            yield Diagnostic("task-tag", title, found=f"`{member}`", why=why, fix="give it another name", at=at)


def _own_faults(document: Document, path: KeyPath, entry: _Entry) -> Iterator[Diagnostic]:
    register = entry.get("register")
    place = (*path, "register")
    if register is not None and not (isinstance(register, str) and _REGISTER.fullmatch(register)):
        at = document.locate(place)
        yield Diagnostic("task-register", "`register` is a variable's name", found=str(register), at=at)
    elif register == OMIT_NAME:
        yield reserved(document.locate(place))
    if not isinstance(entry.get("title", ""), str):
        yield Diagnostic("task-title", "`title` is text", at=document.locate((*path, "title")))
    if not isinstance(entry.get("protect", False), bool):
        yield Diagnostic("task-protect", "`protect` is true or false", at=document.locate((*path, "protect")))


def reserved(at: Location | None) -> Diagnostic:
    """Says that `omit` is no name for a variable of one's own."""
    return Diagnostic(
        "variable-reserved",
        "`omit` cannot be the name of a variable",
        why="it is the value that drops the key or the list entry that it is given to",
        fix="give it another name",
        at=at,
    )


def _unknown_keys(document: Document, path: KeyPath, what: str, known: Sequence[str]) -> Iterator[Diagnostic]:
    node = document.find(path)
    for key in node.value if node else ():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            yield Diagnostic(
                "playbook-key-unknown",
                "a part of a playbook has a key that means nothing there",
                found=f"`{key}` beside `{known[0]}`",
                fix=f"did you mean `{near[0]}`?" if near else f"{what}: {', '.join(known)}",
                at=document.locate_key((*path, key)),
            )


def _unknown_task_key(document: Document, path: KeyPath, key: str, kinds: Collection[str]) -> Diagnostic:
    near = difflib.get_close_matches(key, [*kinds, *TASK_KEYS, *ENTRY_KEYS], n=1)
    return Diagnostic(
        "task-key-unknown",
        "a task has a key that is neither a module nor a task's own",
        found=f"`{key}`",
        fix=f"did you mean `{near[0]}`?" if near else f"modules: {', '.join(sorted(kinds))}",
        at=document.locate_key((*path, key)),
    )
