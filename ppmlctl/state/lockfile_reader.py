"""Reads a lockfile strictly: what ppmlctl did not write there is refused before anything is planned by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError, Location, StateError
from ppmlctl.evidence import Evidence
from ppmlctl.files import read_text
from ppmlctl.spec import Document, read_yaml
from ppmlctl.state.lockfile import BEGUN, MADE, VERSION, Lockfile

LARGEST = 64 * 1024 * 1024
"""Bytes; some hundred thousand entries."""

_CONFLICT_MARKS = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
"""Of git, at the beginning of a line. `=======` says nothing by itself, and is never without them."""

Check = Callable[[Any], bool]


def read_lockfile(path: Path, shown_as: str) -> Lockfile:
    """The lockfile in `path`.

    Raises InputError where it cannot be understood, with an unfinished merge told apart, and StateError for one of a
    newer ppmlctl.
    """
    try:
        document = read_yaml(path, shown_as=shown_as, limit=LARGEST)
    except InputError as error:
        raise _unreadable(error.diagnostics[0], path, shown_as) from None
    content = document.value
    version = content.get("version")
    if _is_count(version) and version > VERSION:
        raise _newer(version, document.locate(("version",)))
    wrong = _first_wrong(content)
    if wrong is not None:
        raise _corrupt(f"`{wrong[-1]}` is not what ppmlctl writes there", _place(document, wrong), shown_as)
    return Lockfile(**{name: content[name] for name in ("environment", *_OPTIONAL) if name in content})


def _first_wrong(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The path of the first value that is missing or of another shape."""
    if (name := _wrong_member(content, _REQUIRED, _OPTIONAL)) is not None:
        return (name,)
    for address, entry in content.get("tasks", {}).items():
        if not isinstance(entry, Mapping):
            return ("tasks", address)
        if (name := _wrong_member(entry, _ENTRY_REQUIRED, _ENTRY_OPTIONAL)) is not None:
            return ("tasks", address, name)
    return None


def _wrong_member(found: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]) -> str | None:
    checks = {**required, **{name: check for name, check in optional.items() if name in found}}
    return next((name for name, fits in checks.items() if not fits(found.get(name))), None)


def _place(document: Document, path: tuple[str, ...]) -> Location:
    """Of the value, or of what should hold it."""
    value: Any = document.value
    for depth, name in enumerate(path):
        if name not in value:
            return document.locate(path[:depth])
        value = value[name]
    return document.locate(path)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _mapping_of(fits: Check) -> Check:
    return lambda value: isinstance(value, Mapping) and all(map(fits, value.values()))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_version(value: Any) -> bool:
    return _is_count(value) and bool(value == VERSION)


_REQUIRED: Mapping[str, Check] = {"version": _is_version, "environment": _is_text}
_OPTIONAL: Mapping[str, Check] = {
    "name": _is_text,
    "target": _is_text,
    "serial": _is_count,
    "engines": _mapping_of(_is_text),
    "intents": _mapping_of(_is_mapping),
    "rotations": _mapping_of(lambda value: value in (BEGUN, MADE)),
    "tasks": _is_mapping,
}
_ENTRY_REQUIRED: Mapping[str, Check] = {"module": _is_text, "inputs": _is_mapping, "result": _is_mapping}
_ENTRY_OPTIONAL: Mapping[str, Check] = {
    "needs": _are_texts,
    "evidence": lambda value: value in list(Evidence),
    "protect": lambda value: isinstance(value, bool),
    "stored_otherwise": _mapping_of(_is_text),
}


def _unreadable(why: Diagnostic, path: Path, shown_as: str) -> InputError:
    if why.code in {"yaml-missing", "yaml-unreadable", "yaml-too-large"}:
        return InputError(why)
    if (line := _conflict_line(path)) is not None:
        return _conflicted(Location(shown_as, line, 1), shown_as)
    return _corrupt(why.found or why.title, why.at or Location(shown_as, 1, 1), shown_as)


def _conflict_line(path: Path) -> int | None:
    lines = enumerate(read_text(path, LARGEST, errors="replace").splitlines(), start=1)
    return next((number for number, line in lines if line.startswith(_CONFLICT_MARKS)), None)


def _conflicted(at: Location, shown_as: str) -> InputError:
    return InputError(
        Diagnostic(
            "lockfile-conflicted",
            "the lockfile holds an unfinished merge",
            found="lines of git that mark a conflict",
            why="two checkouts have applied; what a cluster was made by is one of the two, never a mixture",
            fix="take whole the one that was applied last, with its vault: yours (--ours) or the other's (--theirs):\n"
            f"git checkout --theirs -- {shown_as}\nppmlctl plan",
            at=at,
        )
    )


def _newer(version: int, at: Location) -> StateError:
    return StateError(
        Diagnostic(
            "lockfile-newer",
            "the lockfile was written by a newer ppmlctl",
            found=f"version {version}; this ppmlctl writes version {VERSION}",
            why="an older program could lose what it does not understand",
            fix="upgrade ppmlctl",
            at=at,
        )
    )


def _corrupt(found: str, at: Location, shown_as: str) -> InputError:
    return InputError(
        Diagnostic(
            "lockfile-corrupt",
            "the lockfile cannot be understood",
            found=found,
            why="without it ppmlctl does not know what it has made",
            fix=f"restore it from version control:\ngit checkout -- {shown_as}",
            at=at,
        )
    )
