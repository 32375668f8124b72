"""The JSON Schema of playbooks, for editors. Generated from the modules' arguments, so it never says anything else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from ppmlctl.playbook.words import FLOWS

_EXPRESSION = {"$ref": "#/$defs/Expression"}
_NAME = "^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$"
_NAMES: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "string"}}
_ANYTHING: tuple[dict[str, Any], ...] = ({}, {"type": "string"})

_CONDITION: dict[str, Any] = {"type": ["string", "boolean"]}

SHARED_KEYS: Mapping[str, dict[str, Any]] = {
    "when": {
        "anyOf": [_CONDITION, {"type": "array", "items": _CONDITION}, {"type": "null"}],
        "description": "An expression, or a list of which all must hold; where one does not, the task is not there.",
    },
    "vars": {
        "type": ["object", "null"],
        "not": {"required": ["omit"]},
        "description": "Variables; each may use those before it, and is evaluated where it is used.",
    },
    "needs": {**_NAMES, "description": "Names of tasks that come before; results that are read are needed anyway."},
    "tags": {**_NAMES, "description": "Words to choose tasks by: `--tags`, `--skip-tags`."},
}
"""What a task says for itself, and a block, an import and a file for all that is inside."""

TASK_KEYS: Mapping[str, dict[str, Any]] = {
    "name": {"type": "string", "pattern": _NAME, "description": "The task's identity, in the lockfile too."},
    "title": {"type": "string", "description": "What it is, for people."},
    "register": {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$", "description": "A name for the result."},
    "loop": {
        "type": ["array", "object", "string"],
        "description": "The task is there once for each member, which is `item`.",
    },
    "protect": {"type": "boolean", "description": "Whether removal is refused."},
    **SHARED_KEYS,
}


class _Module(Protocol):
    @property
    def Args(self) -> type[BaseModel]: ...  # noqa: N802 - a class that modules carry
    @property
    def in_files(self) -> frozenset[str]: ...


def json_schema(modules: Mapping[str, _Module]) -> dict[str, Any]:
    """The schema (draft 2020-12). Every value of an argument may be a `{{ }}` expression."""
    definitions: dict[str, Any] = {}
    for kind in modules:
        definitions |= _definitions(kind, modules[kind])
        for name in sorted(modules[kind].in_files):
            argument = definitions[kind]["properties"][name]
            argument["anyOf"].append(
                {"type": "string", "description": "The YAML file beside the playbook that has it."}
            )
    definitions["Expression"] = {
        "type": "string",
        "pattern": r"\{\{",
        "description": "An expression over variables, `env` and what earlier tasks register.",
    }
    definitions["Entries"] = {
        "type": "array",
        "items": {"anyOf": [_import(), _outputs(), _with_shared("block", _entries("Tasks in here.")), _task(modules)]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A playbook of ppmlctl",
        "anyOf": [{"$ref": "#/$defs/Entries"}, _with_shared("tasks", _entries("All tasks of the file."))],
        "$defs": definitions,
    }


def _entries(description: str) -> dict[str, Any]:
    return {"$ref": "#/$defs/Entries", "minItems": 1, "description": description}


def _with_shared(key: str, value: dict[str, Any]) -> dict[str, Any]:
    """A mapping that says something for all that is under its key."""
    properties = {key: value, **SHARED_KEYS}
    return {"type": "object", "properties": properties, "required": [key], "additionalProperties": False}


def _import() -> dict[str, Any]:
    beside = {"type": "string", "description": "Another playbook, beside this one."}
    of_flows = {
        "type": "object",
        "properties": {FLOWS: {"type": "string"}},
        "required": [FLOWS],
        "additionalProperties": False,
        "description": "The file of this name from the folder of every kind of workload.",
    }
    return _with_shared("import", {"anyOf": [beside, of_flows]})


def _outputs() -> dict[str, Any]:
    values = {"type": ["object", "null"], "description": "Named values that the recap and `ppmlctl output` show."}
    return {
        "type": "object",
        "properties": {"outputs": values, "when": SHARED_KEYS["when"], "vars": SHARED_KEYS["vars"]},
        "required": ["outputs"],
        "additionalProperties": False,
    }


def _task(modules: Mapping[str, _Module]) -> dict[str, Any]:
    arguments = {kind: {"anyOf": [{"$ref": f"#/$defs/{kind}"}, {"type": "null"}]} for kind in modules}
    return {
        "type": "object",
        "properties": {**TASK_KEYS, **arguments},
        "required": ["name"],
        "oneOf": [{"required": [kind]} for kind in modules],
        "additionalProperties": False,
    }


def _definitions(kind: str, module: _Module) -> dict[str, Any]:
    """The arguments' schema under the module's kind, what it refers to under KIND.NAME."""
    schema = module.Args.model_json_schema(ref_template=f"#/$defs/{kind}.{{model}}")
    inner = schema.pop("$defs", {})
    text = (sys.modules[type(module).__module__].__doc__ or "").strip().partition("\n\n")[0]
    definitions = {f"{kind}.{name}": _open(member) for name, member in inner.items()}
    return {kind: {**_without_title(schema), "description": " ".join(text.split())}, **definitions}


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole mapping: only its members may be expressions."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in kept:
        kept["properties"] = {name: _open(member) for name, member in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _open(kept[key])
    if "anyOf" in kept:
        kept["anyOf"] = [_without_title(member) for member in kept["anyOf"]]
    return kept


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, or an expression."""
    kept = _without_title(schema)
    outside: dict[str, Any] = {key: kept.pop(key) for key in ("description", "default") if key in kept}
    if kept in _ANYTHING:
        return {**outside, **kept}
    alternatives = kept["anyOf"] if list(kept) == ["anyOf"] else [kept]
    return {**outside, "anyOf": [*alternatives, _EXPRESSION]}
