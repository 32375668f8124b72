"""Secrets that stand in a playbook, which is committed as ppml.yaml is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.expressions import is_expression
from ppmlctl.playbook.written import Playbook
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.secret_words import secret_in, secret_of

_BY_NAME = frozenset({"arguments", "args", "data", "env", "environment", "outputs", "stringData", "vars"})
"""Where keys are names of values, and not words of a module or of Kubernetes (`secretName`)."""
_NAME_AND_VALUE = {"name", "value"}


def check_literals(playbook: Playbook, allowed: Collection[str]) -> None:
    """Raises InputError (literal-secret) for each, but for names in `allowed`."""
    faults = [
        _fault(at(*path), found)
        for at, section, values in _values(playbook)
        for path, found in _literals(values, (section,))
        if found not in allowed and str(path[-1]) not in allowed
    ]
    if faults:
        raise InputError(*faults)


def _values(playbook: Playbook) -> Iterator[tuple[Callable[..., Location], str, Any]]:
    """Everything that playbooks write values in: how places in it are found, its key, and the values."""
    for block in playbook.blocks():
        yield block.at, "vars", block.variables
    for task in playbook.tasks:
        yield task.at, task.module, task.arguments
        yield task.at, "vars", task.variables
        yield task.at, "loop", task.loop
    for outputs in playbook.outputs:
        yield outputs.at, "vars", outputs.variables
        yield outputs.at, "outputs", outputs.values


def _literals(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        name = value.get("name")
        if value.keys() == _NAME_AND_VALUE and isinstance(name, str) and isinstance(value["value"], str):
            if found := _in_text(name, value["value"]):
                yield (*path, "value"), found
            return
        for key, member in value.items():
            yield from _literals(member, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _literals(member, (*path, index))
    elif isinstance(value, str):
        holder = path[-2] if len(path) > 1 else ""
        if found := _in_text(str(path[-1]) if holder in _BY_NAME else "", value):
            yield path, found


def _in_text(name: str, value: str) -> str:
    if is_expression(value):
        return ""
    return secret_of(name, value) if name else secret_in(value)


def _fault(at: Location, found: str) -> Diagnostic:
    return Diagnostic(
        "literal-secret",
        "a secret stands in a playbook",
        found,
        "playbooks are committed, and what they make can be read by others",
        "name the result of a vault_secret task instead; or name it in `not_secrets`, where it is none",
        at=at,
    )
