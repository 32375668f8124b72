"""Playbook files -> tasks as written, with their places. Imports are followed; nothing is evaluated yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.expressions import is_expression
from ppmlctl.playbook.file_beside import beside, missing
from ppmlctl.playbook.shape import block_faults, file_faults, import_faults, outputs_faults, task_faults
from ppmlctl.playbook.words import FLOWS, TASK_KEYS
from ppmlctl.playbook.written import Block, Playbook, WrittenOutputs, WrittenTask
from ppmlctl.spec import Document, read_yaml
from ppmlctl.spec.key_path import KeyPath

LARGEST = 32 * 1024 * 1024
"""Bytes of one playbook file."""
DEEPEST_IMPORT = 16

InFiles = Callable[[str], Collection[str]]
"""The arguments of a module that may stand in a file of their own, which is named in their place."""


def parse(
    files: Mapping[Path, str],
    kinds: Collection[str],
    in_files: InFiles = lambda _kind: frozenset(),
    flows: Sequence[Path] = (),
) -> Playbook:
    """Reads the files (path -> shown name) and what they import. Raises InputError with every fault found.

    `flows`: the folders of kinds of workload, whose files an import may name all at once.
    """
    reader = _Reader(frozenset(kinds), in_files, flows)
    for path, shown_as in files.items():
        reader.read(_Place(path, shown_as))
    reader.faults.extend(_repeated(reader.tasks))
    if reader.faults:
        raise InputError(*reader.faults)
    return Playbook(tuple(reader.tasks), tuple(reader.outputs))


@dataclass(frozen=True)
class _Place:
    """A file to be read, and what stands around it."""

    path: Path
    shown_as: str
    within: Block | None = None
    depth: int = 0


@dataclass(frozen=True)
class _Written:
    """An entry of a list of tasks, and where it stands."""

    entry: dict[str, Any]
    document: Document
    path: KeyPath
    file: _Place
    within: Block | None


@dataclass
class _Reader:
    kinds: frozenset[str]
    in_files: InFiles
    flows: Sequence[Path] = ()
    tasks: list[WrittenTask] = field(default_factory=list)
    outputs: list[WrittenOutputs] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)

    def read(self, file: _Place) -> None:
        """Takes in one file: a list of entries, or a mapping that has it under `tasks` and speaks for all of them."""
        document = read_yaml(file.path, shown_as=file.shown_as, limit=LARGEST, top="list")
        if isinstance(document.value, list):
            self._entries(document, (), file, file.within)
        elif self._is_sound(file_faults(document)):
            self._entries(document, ("tasks",), file, _block(document.value, document, (), file.within))

    def _entries(self, document: Document, path: KeyPath, file: _Place, within: Block | None) -> None:
        entries = document.find(path)
        for index, entry in enumerate(entries.value if entries else ()):
            place = (*path, index)
            if not isinstance(entry, dict):
                title = "a playbook is a list of tasks, blocks, imports and outputs"
                self.faults.append(Diagnostic("playbook-entry", title, at=document.locate(place)))
                continue
            self._entry(_Written(entry, document, place, file, within))

    def _entry(self, one: _Written) -> None:
        if "import" in one.entry:
            self._import(one)
        elif "block" in one.entry:
            if self._is_sound(block_faults(one.document, one.path, one.entry)):
                block = _block(one.entry, one.document, one.path, one.within)
                self._entries(one.document, (*one.path, "block"), one.file, block)
        elif "outputs" in one.entry:
            if self._is_sound(outputs_faults(one.document, one.path, one.entry)):
                self.outputs.append(_outputs(one))
        elif self._is_sound(task_faults(one.document, one.path, one.entry, self.kinds)):
            self.tasks.append(self._task(one))

    def _import(self, one: _Written) -> None:
        name, at = one.entry["import"], one.document.locate((*one.path, "import"))
        if one.file.depth >= DEEPEST_IMPORT:
            title = "playbooks import each other in a circle"
            raise InputError(Diagnostic("playbook-import-circle", title, found=str(name), at=at))
        if not self._is_sound(import_faults(one.document, one.path, one.entry)):
            return
        block = _block(one.entry, one.document, one.path, one.within)
        for path, shown_as in self._imported(name, one.file):
            if path.exists():
                self.read(_Place(path, shown_as, block, one.file.depth + 1))
            else:
                self.faults.append(missing(shown_as, at))

    def _imported(self, name: str | Mapping[str, str], file: _Place) -> Iterator[tuple[Path, str]]:
        if isinstance(name, str):
            yield file.path.parent / name, _beside(file.shown_as, name)
            return
        for folder in self.flows:
            yield folder / name[FLOWS], f"{FLOWS}/{folder.name}/{name[FLOWS]}"

    def _task(self, one: _Written) -> WrittenTask:
        entry = one.entry
        (module,) = [key for key in entry if key not in TASK_KEYS]
        arguments = entry[module] or {}
        files = dict(self._argument_files(one, module, arguments))
        return WrittenTask(
            name=entry["name"],
            module=module,
            arguments={**arguments, **{name: document.value for name, document in files.items()}},
            document=one.document,
            path=one.path,
            title=entry.get("title", ""),
            when=_condition(entry.get("when")),
            register=entry.get("register"),
            needs=tuple(entry.get("needs") or ()),
            tags=tuple(entry.get("tags") or ()),
            loop=entry.get("loop"),
            protect=bool(entry.get("protect", False)),
            variables=entry.get("vars") or {},
            within=one.within,
            files=files,
        )

    def _argument_files(
        self, one: _Written, module: str, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[str, Document]]:
        named = {name: value for name, value in arguments.items() if _may_be_a_file(value)}
        if not named:
            return  # without a look at the module, which not every command has loaded
        for name in self.in_files(module):
            if name not in named:
                continue
            shown_as = _beside(one.file.shown_as, named[name])
            at = one.document.locate((*one.path, module, name))
            try:
                path = beside(one.file.path.parent, named[name], shown_as, at)
                yield name, read_yaml(path, shown_as=shown_as, limit=LARGEST, top="manifest")
            except InputError as error:
                self.faults.extend(error.diagnostics)

    def _is_sound(self, found: Iterator[Diagnostic]) -> bool:
        before = len(self.faults)
        self.faults.extend(found)
        return len(self.faults) == before


def _block(entry: Mapping[str, Any], document: Document, path: KeyPath, within: Block | None) -> Block:
    return Block(
        document,
        path,
        when=_condition(entry.get("when")),
        variables=entry.get("vars") or {},
        needs=tuple(entry.get("needs") or ()),
        tags=tuple(entry.get("tags") or ()),
        within=within,
    )


def _outputs(one: _Written) -> WrittenOutputs:
    entry = one.entry
    return WrittenOutputs(
        entry["outputs"] or {},
        _condition(entry.get("when")),
        one.document,
        one.path,
        variables=entry.get("vars") or {},
        within=one.within,
    )


def _condition(when: Any) -> Any:
    """A condition in one form: text without `{{ }}` is an expression all the same, as everywhere else people write it.

    Of a list every member must hold.
    """
    if isinstance(when, list):
        return [_condition(member) for member in when]
    if isinstance(when, str) and when.strip():
        return when.strip() if is_expression(when) else f"{{{{ {when} }}}}"
    return when


def _may_be_a_file(value: Any) -> bool:
    return isinstance(value, str) and not is_expression(value) and ("." in value or "/" in value)


def _beside(shown_as: str, name: str) -> str:
    return f"{shown_as.rpartition('/')[0]}/{name}".lstrip("/")


def _repeated(tasks: list[WrittenTask]) -> Iterator[Diagnostic]:
    """Loops may share a name, since their turns have keys of their own."""
    first: dict[str, WrittenTask] = {}
    for task in tasks:
        earlier = first.setdefault(task.name, task)
        if earlier is not task and (task.loop is None or earlier.loop is None):
            yield Diagnostic(
                "task-name-repeated",
                "two tasks have the same name",
                found=f"`{task.name}` stands at {earlier.at('name')} too",
                why="the name is the task's identity in the lockfile",
                fix="give one of them another name",
                at=task.at("name"),
            )
