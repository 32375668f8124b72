"""The JSON Schema of ppml.yaml, for editors. Generated from the models, so it never says anything else."""

from __future__ import annotations

import re
from typing import Any

from ppmlctl.spec.environment import Environment

_EXPRESSION = {"$ref": "#/$defs/Expression"}
_RENDERED = frozenset({"string", "integer", "number", "boolean", "array"})
_NUMBER = re.compile(r"\d+(\.\d+)?")


def json_schema(environment: type[Environment]) -> dict[str, Any]:
    """The schema (draft 2020-12). Scalars and lists may be `{{ }}` expressions, and text may be spelt as a number."""
    schema = _open(environment.model_json_schema(by_alias=True))
    schema["$defs"]["Expression"] = {
        "type": "string",
        "pattern": r"\{\{",
        "description": "An expression over `vars`, evaluated before its type is checked.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ppml.yaml", **schema}


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without the titles that pydantic makes of names, open to expressions."""
    opened = {key: value for key, value in schema.items() if key != "title"}
    for key in ("$defs", "properties", "patternProperties"):
        if key in opened:
            opened[key] = {name: _open(member) for name, member in opened[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(opened.get(key), dict):
            opened[key] = _open(opened[key])
    if "anyOf" in opened:
        opened["anyOf"] = _flat([_open(member) for member in opened["anyOf"]])
    return _with_expression(opened)


def _flat(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One list for `anyOf` inside `anyOf`, each member once."""
    spread = [inner for member in members for inner in (member["anyOf"] if list(member) == ["anyOf"] else [member])]
    return [member for number, member in enumerate(spread) if member not in spread[:number]]


def _with_expression(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") not in _RENDERED:
        return schema
    outside: dict[str, Any] = {key: schema.pop(key) for key in ("description", "default") if key in schema}
    return {**outside, "anyOf": [schema, *_as_number(schema), _EXPRESSION]}


def _as_number(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """`tag: 2.10` and `gramine: 1.5` are numbers to YAML; the loader takes them as they are spelt."""
    if schema["type"] != "string" or "const" in schema:
        return []
    if "enum" in schema:
        numbers = [float(word) for word in schema["enum"] if _NUMBER.fullmatch(word)]
        return [{"enum": numbers}] if numbers else []
    return [{"type": ["number", "boolean"]}] if re.search(schema.get("pattern", ""), "15") else []
