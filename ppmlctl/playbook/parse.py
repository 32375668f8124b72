"""Playbook files -> tasks as written, with their places. Imports are followed; nothing is evaluated yet."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.spec import Document, read_yaml

LARGEST = 32 * 1024 * 1024
"""Bytes of one playbook file."""
DEEPEST_IMPORT = 16

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?")
_REGISTER = re.compile(r"[a-z_][a-z0-9_]*")
_TASK_KEYS = ("name", "title", "when", "register", "needs", "tags", "loop", "protect", "vars")
_ENTRY_KEYS = ("import", "outputs")


@dataclass(frozen=True)
class WrittenTask:
    """One task as it stands in a playbook. `at` finds the place of any part of it."""

    name: str
    module: str
    arguments: Mapping[str, Any]
    document: Document
    index: int
    title: str = ""
    when: Any = None
    register: str | None = None
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    loop: Any = None
    protect: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)

    def at(self, *path: str | int) -> Location:
        """The place of a part of this task."""
        return self.document.locate((self.index, *path))


@dataclass(frozen=True)
class WrittenOutputs:
    """Named values that the recap and `ppmlctl output` show."""

    values: Mapping[str, Any]
    when: Any
    document: Document
    index: int

    def at(self, *path: str | int) -> Location:
        """The place of a part of this entry."""
        return self.document.locate((self.index, *path))


@dataclass(frozen=True)
class Playbook:
    """All tasks of all files in the order in which they are read."""

    tasks: tuple[WrittenTask, ...]
    outputs: tuple[WrittenOutputs, ...]


def parse(files: Mapping[str, Path], kinds: Collection[str]) -> Playbook:
    """Reads the files (shown name -> path) and what they import. Raises InputError with every fault found."""
    reader = _Reader(frozenset(kinds))
    for shown_as, path in files.items():
        reader.read(path, shown_as, depth=0)
    reader.faults.extend(_repeated(reader.tasks))
    if reader.faults:
        raise InputError(*reader.faults)
    return Playbook(tuple(reader.tasks), tuple(reader.outputs))


@dataclass
class _Reader:
    kinds: frozenset[str]
    tasks: list[WrittenTask] = field(default_factory=list)
    outputs: list[WrittenOutputs] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)

    def read(self, path: Path, shown_as: str, *, depth: int) -> None:
        """Takes in one file, entry by entry."""
        document = read_yaml(path, shown_as=shown_as, limit=LARGEST, top="list")
        for index, entry in enumerate(document.value):
            if not isinstance(entry, dict):
                title = "a playbook is a list of tasks, imports and outputs"
                self.faults.append(Diagnostic("playbook-entry", title, at=document.locate((index,))))
            elif "import" in entry:
                self._import(document, index, path, depth)
            elif "outputs" in entry:
                self.outputs.append(WrittenOutputs(entry["outputs"] or {}, entry.get("when"), document, index))
            elif (task := _task(document, index, entry, self.kinds, self.faults)) is not None:
                self.tasks.append(task)

    def _import(self, document: Document, index: int, path: Path, depth: int) -> None:
        name, at = document.value[index]["import"], document.locate((index, "import"))
        if depth >= DEEPEST_IMPORT:
            title = "playbooks import each other in a circle"
            raise InputError(Diagnostic("playbook-import-circle", title, found=str(name), at=at))
        if not isinstance(name, str) or len(document.value[index]) > 1:
            fix = "- import: images.yaml"
            self.faults.append(Diagnostic("playbook-import", "an import is a file name alone", fix=fix, at=at))
            return
        folder = document.shown_as.rpartition("/")[0]
        self.read(path.parent / name, f"{folder}/{name}".lstrip("/"), depth=depth + 1)


def _task(
    document: Document, index: int, entry: dict[str, Any], kinds: frozenset[str], faults: list[Diagnostic]
) -> WrittenTask | None:
    found = list(_task_faults(document, index, entry, kinds))
    faults.extend(found)
    if found:
        return None
    (module,) = [key for key in entry if key not in _TASK_KEYS]
    return WrittenTask(
        name=entry["name"],
        module=module,
        arguments=entry[module] or {},
        document=document,
        index=index,
        title=entry.get("title", ""),
        when=entry.get("when"),
        register=entry.get("register"),
        needs=tuple(entry.get("needs") or ()),
        tags=tuple(entry.get("tags") or ()),
        loop=entry.get("loop"),
        protect=bool(entry.get("protect", False)),
        variables=entry.get("vars") or {},
    )


def _task_faults(document: Document, index: int, entry: dict[str, Any], kinds: frozenset[str]) -> Iterator[Diagnostic]:
    at = document.locate((index,))
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Diagnostic(
            "task-name",
            "a task needs a name of lower-case letters, digits and hyphens",
            found=f"name: {name}" if name is not None else "no name",
            why="the name is the task's identity in the lockfile and on what it makes",
            at=document.locate((index, "name")) if "name" in entry else at,
        )
    modules = [key for key in entry if key not in _TASK_KEYS]
    unknown = [key for key in modules if key not in kinds]
    for key in unknown:
        yield _unknown_key(key, kinds, document.locate_key((index, key)))
    if not unknown and len(modules) != 1:
        found = ", ".join(modules) or "no module"
        yield Diagnostic("task-module", "a task names exactly one module", found=found, at=at)
    if len(modules) == 1 and not unknown and not isinstance(entry[modules[0]], dict | None):
        place = document.locate((index, modules[0]))
        yield Diagnostic("task-arguments", "a module's arguments are a mapping", at=place)
    yield from _shape_faults(document, index, entry)


def _shape_faults(document: Document, index: int, entry: dict[str, Any]) -> Iterator[Diagnostic]:
    for key in ("needs", "tags"):
        value = entry.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            yield Diagnostic("task-list", f"`{key}` is a list of names", at=document.locate((index, key)))
    register = entry.get("register")
    if register is not None and not (isinstance(register, str) and _REGISTER.fullmatch(register)):
        place = document.locate((index, "register"))
        yield Diagnostic("task-register", "`register` is a variable's name", found=str(register), at=place)
    if not isinstance(entry.get("vars"), dict | None):
        yield Diagnostic("task-vars", "`vars` is a mapping", at=document.locate((index, "vars")))
    if not isinstance(entry.get("protect", False), bool):
        yield Diagnostic("task-protect", "`protect` is true or false", at=document.locate((index, "protect")))


def _repeated(tasks: list[WrittenTask]) -> Iterator[Diagnostic]:
    first: dict[str, WrittenTask] = {}
    for task in tasks:
        earlier = first.setdefault(task.name, task)
        if earlier is not task:
            yield Diagnostic(
                "task-name-repeated",
                "two tasks have the same name",
                found=f"`{task.name}` stands at {earlier.at('name')} too",
                why="the name is the task's identity in the lockfile",
                fix="give one of them another name",
                at=task.at("name"),
            )


def _unknown_key(key: str, kinds: frozenset[str], at: Location) -> Diagnostic:
    near = difflib.get_close_matches(key, [*kinds, *_TASK_KEYS, *_ENTRY_KEYS], n=1)
    return Diagnostic(
        "task-key-unknown",
        "a task has a key that is neither a module nor a task's own",
        found=f"`{key}`",
        fix=f"did you mean `{near[0]}`?" if near else f"modules: {', '.join(sorted(kinds))}",
        at=at,
    )
