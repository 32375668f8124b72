"""Reads one YAML file of the user's: ppml.yaml or a playbook.

Two parsers give the same events: libyaml through the optional `ruamel.yaml[libyaml]` (about twenty times faster) where
it is installed, and the Python one. They disagree about some broken texts, so a file with any fault is read again by
the other for its words: messages do not depend on what is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.files import open_regular
from ppmlctl.spec.yaml_builder import Builder, TooMuchError
from ppmlctl.spec.yaml_document import Document, Node
from ppmlctl.spec.yaml_scalar import kind_of

LARGEST = 1 << 20
"""Bytes."""

Top = Literal["mapping", "list", "manifest"]
"""What a file holds: ppml.yaml's mapping, a playbook's list of tasks or a mapping that has it, an object's mapping."""

_KINDS: dict[Top, tuple[type, ...]] = {"mapping": (dict,), "list": (list, dict), "manifest": (dict,)}
_BEGIN: dict[Top, str] = {
    "mapping": "begin with `version: 1`",
    "list": "begin each task with `- name:`",
    "manifest": "begin with `apiVersion:`",
}


def read_yaml(path: Path, *, shown_as: str, limit: int = LARGEST, top: Top = "mapping") -> Document:
    """The document in `path`, with positions. `limit` is in bytes; `top` is what it must hold.

    Raises InputError: file missing, unreadable, empty, too large, not UTF-8, or no YAML within the limits.
    """
    text = _decode(_read(path, shown_as, limit), shown_as)
    return parse_yaml(text, shown_as=shown_as, top=top)


def parse_yaml(text: str, *, shown_as: str, top: Top = "mapping") -> Document:
    """The same for text at hand."""
    root = _root(text, shown_as, _BEGIN[top])
    if not isinstance(root.value, _KINDS[top]):
        raise InputError(
            Diagnostic(
                "yaml-top-level",
                "the file must hold a list of tasks" if top == "list" else "the file must hold a mapping",
                kind_of(root.value),
                fix=_BEGIN[top],
                at=Location(shown_as, root.place[0] + 1, root.place[1] + 1),
            )
        )
    return Document(shown_as, root, text)


def _read(path: Path, shown_as: str, limit: int) -> bytes:
    at = Location(shown_as, 1, 1)
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        fix = "make it (`ppmlctl init` writes a first ppml.yaml), or name another: --file FILE"
        raise InputError(Diagnostic("yaml-missing", "the file does not exist", shown_as, fix=fix, at=at)) from None
    except OSError as error:
        found = error.strerror or type(error).__name__
        fix = "make it a file that you may read"
        raise InputError(Diagnostic("yaml-unreadable", "the file cannot be read", found, fix=fix, at=at)) from None
    if len(content) > limit:
        found, fix = f"more than {limit:,} bytes", "split it, or move large values into files of their own"
        raise InputError(Diagnostic("yaml-too-large", "the file is too large", found, fix=fix, at=at))
    return content


def _decode(content: bytes, shown_as: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise InputError(
            Diagnostic(
                "yaml-not-utf8",
                "the file is not UTF-8",
                f"byte 0x{content[error.start]:02x} at offset {error.start}",
                fix="save it as UTF-8",
                at=Location(shown_as, line, column),
            )
        ) from None


def _root(text: str, shown_as: str, beginning: str) -> Node:
    try:
        builder = _build(text, shown_as)
    except YAMLError as error:
        raise InputError(_syntax(error, text, shown_as)) from None
    if builder.faults:
        raise InputError(*builder.faults)
    if builder.root is None or builder.root.spelling == "":
        at = Location(shown_as, 1, 1)
        fix = f"{beginning}; `ppmlctl init` writes a first file" if beginning == _BEGIN["mapping"] else beginning
        raise InputError(Diagnostic("yaml-empty", "the file is empty", "no value", fix=fix, at=at))
    return builder.root


def _build(text: str, shown_as: str) -> Builder:
    try:
        built = _build_with(_fast_events(text), shown_as)
    except (YAMLError, InputError):
        built = None
    return built if built and not built.faults else _build_with(YAML(typ="safe", pure=True).parse(text), shown_as)


def _build_with(events: Iterator[Any], shown_as: str) -> Builder:
    builder = Builder(shown_as)
    try:
        builder.read(events)
    except TooMuchError as error:
        raise InputError(*builder.faults, error.diagnostic) from None
    return builder


@cache
def fast_parser() -> Any:
    """The parser of libyaml, or None where it is not installed."""
    try:
        return import_module("_ruamel_yaml_clibz").CParser
    except ImportError:
        return None


def _fast_events(text: str) -> Iterator[Any]:
    parser = fast_parser()
    if parser is None:
        yield from YAML(typ="safe", pure=True).parse(text)
        return
    events = parser(text)
    while events.check_event():
        yield events.get_event()


def _syntax(error: YAMLError, text: str, shown_as: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark if isinstance(error, MarkedYAMLError) else None
    line, column = (mark.line, mark.column) if mark else _place_of_reader(error, text)
    at = Location(shown_as, line + 1, column + 1)
    written = [*text.split("\n"), ""][line]
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return Diagnostic(
            "yaml-tab", "a tab indents a line", f"a tab in line {line + 1}", fix="indent with blanks", at=at
        )
    if not isinstance(error, MarkedYAMLError):
        fix = "remove the character, or write it escaped in double quotes"
        return Diagnostic("yaml-character", "the file holds a control character", "", fix=fix, at=at)
    found = "; ".join(_words(error))
    return Diagnostic(
        "yaml-invalid", "the file is no valid YAML", found, fix="mend the line, or quote the value", at=at
    )


def _words(error: MarkedYAMLError) -> Iterator[str]:
    if error.context:
        yield f"{error.context} from line {error.context_mark.line + 1}" if error.context_mark else error.context
    if error.problem:
        yield error.problem


def _place_of_reader(error: YAMLError, text: str) -> tuple[int, int]:
    before = text[: getattr(error, "position", 0)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1
