"""Rendered data -> Environment, with pydantic's errors in our own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ppmlctl.expressions import is_expression
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest
from ppmlctl.spec.key_path import KeyPath, dotted
from ppmlctl.spec.variables import Unrendered
from ppmlctl.spec.yaml_document import Document
from ppmlctl.spec.yaml_scalar import kind_of

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
}
_TAKES_SPELLING = frozenset({"string_type", "literal_error"})


@dataclass(frozen=True)
class Validated:
    """`environment` is None when nothing could be made of the data even without its unknown keys."""

    environment: Environment | None
    findings: list[Finding]


def validate(data: dict[str, Any], document: Document, model: type[Environment]) -> Validated:
    """The environment in `data`, and everything that is wrong with it. Unknown keys do not hide other faults.

    Changes `data`, which must share nothing with anything: unknown keys leave it, and spellings take their place.
    """
    errors = _take_spellings(data, _errors(data, model), document, model)
    findings = [translate(error, document, model) for error in errors]
    for error in errors:
        if error["type"] == "extra_forbidden":
            *above, key = error["loc"]
            del reduce(getitem, above, data)[key]
    try:
        return Validated(model.model_validate(data), findings)
    except ValidationError:
        return Validated(None, findings)


def _errors(data: Any, model: type[Environment]) -> list[Any]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [e for e in error.errors(include_url=False) if not isinstance(e["input"], Unrendered)]
    return []


def _take_spellings(data: dict[str, Any], errors: list[Any], document: Document, model: type[Environment]) -> list[Any]:
    """Where text is wanted and a number stands, the text is how the number is spelt: `gramine: 1.5`, `tag: 2.10`."""
    spelt = [(error["loc"], text) for error in errors if (text := _spelling(error, document)) is not None]
    for (*above, key), text in spelt:
        reduce(getitem, above, data)[key] = text
    return _errors(data, model) if spelt else errors


def _spelling(error: Mapping[str, Any], document: Document) -> str | None:
    value = error["input"]
    if error["type"] not in _TAKES_SPELLING or not isinstance(value, bool | int | float):
        return None
    written = document.find(tuple(error["loc"]))
    if written is not None and not isinstance(written.value, str):
        return written.spelling
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else None


def translate(error: Mapping[str, Any], document: Document, model: type[BaseModel]) -> Finding:
    """One of pydantic's errors as a finding."""
    path, kind = tuple(error["loc"]), error["type"]
    if path and path[-1] == "[key]":
        found = _in_own_words(path[:-1], error)
        return Finding(path[:-1], found.code, found.title, found.found, found.why, found.fix, at_key=True)
    if kind in _EXPECTED:
        return _wrong_type(path, error, document)
    if kind in _TRANSLATIONS:
        return _TRANSLATIONS[kind](path, error)
    if kind in _BY_MODEL:
        return _BY_MODEL[kind](path, model)
    if kind == "two-alternatives":
        return _two_alternatives(path, error["ctx"]["named"], document)
    return _in_own_words(path, error)


def _in_own_words(path: KeyPath, error: Mapping[str, Any]) -> Finding:
    context = error.get("ctx", {})
    if error["type"] == "refusal":
        return Finding(path, **{name: context[name] for name in ("code", "title", "found", "why", "fix")})
    return Finding(path, "wrong-value", "a value is not understood", str(error["msg"]))


def _wrong_type(path: KeyPath, error: Mapping[str, Any], document: Document) -> Finding:
    value, expected = error["input"], _EXPECTED[error["type"]]
    written = document.find(path)
    fix = f"write {expected}"
    if written is None or (isinstance(written.value, str) and is_expression(written.value)):
        fix = f"let the expression give {expected}"
    elif written.spelling is None and error["type"] in ("int_type", "bool_type") and isinstance(value, str):
        fix += ", without quotes"
    return Finding(path, "wrong-type", "a value has the wrong type", f"{kind_of(value)}, not {expected}", fix=fix)


def _missing(path: KeyPath, model: type[BaseModel]) -> Finding:
    field = _field_at(path, model)
    why = field.description or "" if field else ""
    return Finding(
        path, "missing-key", "a required key is missing", dotted(path), why, f"add `{path[-1]}:`", at_key=True
    )


def _unknown_key(path: KeyPath, model: type[BaseModel]) -> Finding:
    section = _model_at(path[:-1], model)
    known = [field.alias or name for name, field in section.model_fields.items()] if section else []
    fix = nearest(str(path[-1]), known)
    return Finding(path, "unknown-key", "a key is not known", str(path[-1]), fix=fix, at_key=True)


def _unknown_choice(path: KeyPath, error: Mapping[str, Any]) -> Finding:
    offered = re.findall(r"'([^']*)'|(\d+)", error["ctx"]["expected"])
    words = [text or number for text, number in offered]
    value = error["input"]
    found = value if isinstance(value, str) else kind_of(value)
    return Finding(path, "unknown-choice", "a value is none of those offered", found, fix=nearest(str(value), words))


def _out_of_range(path: KeyPath, error: Mapping[str, Any]) -> Finding:
    bounds = {"ge": "at least", "le": "at most"}
    fix = " and ".join(f"use {word} {error['ctx'][key]}" for key, word in bounds.items() if key in error["ctx"])
    return Finding(path, "out-of-range", "a number is out of range", str(error["input"]), fix=fix)


def _wrong_length(path: KeyPath, error: Mapping[str, Any]) -> Finding:
    if error["type"] == "string_too_short":
        return Finding(path, "empty-text", "a text is empty", '""', fix="write it, or remove the key")
    found, fix = f"{len(error['input'])} characters", f"use at most {error['ctx']['max_length']}"
    return Finding(path, "text-too-long", "a text is too long", found, fix=fix)


def _no_alternative(path: KeyPath, error: Mapping[str, Any]) -> Finding:
    names = error["ctx"]["alternatives"]
    return Finding(path, "no-alternative", "none of the alternatives is named", fix=nearest("", names), at_key=True)


def _two_alternatives(path: KeyPath, named: list[str], document: Document) -> Finding:
    places = sorted((document.locate_key((*path, key)), key) for key in named)
    found = " and ".join(f"`{key}` in line {at.line}" for at, key in places)
    last = (*path, places[-1][1])
    return Finding(last, "two-alternatives", "two alternatives are named", found, fix="keep one of them", at_key=True)


_TRANSLATIONS: dict[str, Callable[[KeyPath, Mapping[str, Any]], Finding]] = {
    "literal_error": _unknown_choice,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "string_too_short": _wrong_length,
    "string_too_long": _wrong_length,
    "no-alternative": _no_alternative,
}
_BY_MODEL: dict[str, Callable[[KeyPath, type[BaseModel]], Finding]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
}
"""What is told by what could stand there."""


def _field_at(path: KeyPath, model: type[BaseModel]) -> Any:
    section = _model_at(path[:-1], model)
    fields = {field.alias or name: field for name, field in section.model_fields.items()} if section else {}
    return fields.get(str(path[-1]))


def _model_at(path: KeyPath, top: type[BaseModel]) -> type[BaseModel] | None:
    """The section at `path`, by the models' annotations."""
    model: type[BaseModel] | None = top
    for step in path:
        if isinstance(step, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _section_in(fields[step].annotation) if step in fields else None
    return model


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple):
        return next((found for found in map(_section_in, get_args(annotation)) if found), None)
    return None
