"""The three ways to change a part of an object: JSON patch, merge patch, strategic merge patch. Pure.

Source: RFC 6902, RFC 7386; kubernetes, apimachinery, pkg/util/strategicpatch (directives `$patch`,
`$deleteFromPrimitiveList`; `$setElementOrder` and `$retainKeys` only say what is so here anyway).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ppmlctl.sandbox.kubernetes import status
from ppmlctl.sandbox.kubernetes.fields import child_node
from ppmlctl.sandbox.kubernetes.schema import ListOf, Node

_DIRECTIVE = "$patch"
_DELETE_FROM = "$deleteFromPrimitiveList/"
_HINTS = ("$setElementOrder/", "$retainKeys")


def merged_patch(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merged_patch(merged.get(key), value)
    return merged


def strategic_patch(target: Any, patch: Any, node: Node) -> Any:
    """The target after a strategic merge patch: as a merge patch, but lists with keys are merged element by element."""
    if isinstance(node, ListOf) and isinstance(patch, list):
        return _patched_list(target if isinstance(target, list) else [], patch, node)
    if not isinstance(patch, dict):
        return patch
    if patch.get(_DIRECTIVE) == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            name = key.removeprefix(_DELETE_FROM)
            merged[name] = [member for member in merged.get(name, []) if member not in value]
        elif value is None:
            merged.pop(key, None)
        elif not key.startswith(_HINTS):
            merged[key] = strategic_patch(merged.get(key), value, child_node(node, key))
    return merged


def _patched_list(target: list[Any], patch: list[Any], node: ListOf) -> list[Any]:
    if node.is_set:
        return [*target, *(member for member in patch if member not in target)]
    if not node.keys or any(isinstance(element, Mapping) and element == {_DIRECTIVE: "replace"} for element in patch):
        return [element for element in patch if element != {_DIRECTIVE: "replace"}]
    key, merged = node.keys[0], list(target)
    for element in patch:
        place = next((index for index, one in enumerate(merged) if one.get(key) == element.get(key)), None)
        if element.get(_DIRECTIVE) == "delete":
            merged = merged if place is None else [*merged[:place], *merged[place + 1 :]]
        elif place is None:
            merged.append(element)
        else:
            merged[place] = strategic_patch(merged[place], element, node.item)
    return merged


def json_patch(target: Any, operations: Any) -> Any:
    """The target after a JSON patch (RFC 6902). Raises ApiError (BadRequest, Invalid)."""
    if not isinstance(operations, list) or not all(isinstance(one, dict) and "path" in one for one in operations):
        raise status.bad_request("a JSON patch must be a list of operations")
    patched = copy.deepcopy(target)
    for operation in operations:
        try:
            patched = _operated(patched, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            message = "the server rejected our request due to an error in our request"
            raise status.ApiError(422, "Invalid", message) from None
    return patched


def _operated(document: Any, operation: Mapping[str, Any]) -> Any:
    path = _steps(operation["path"])
    match operation.get("op"):
        case "add":
            return _put(document, path, operation["value"], insert=True)
        case "replace":
            _at(document, path)
            return _put(document, path, operation["value"], insert=False)
        case "remove":
            return _removed(document, path)
        case "copy":
            return _put(document, path, copy.deepcopy(_at(document, _steps(operation["from"]))), insert=True)
        case "move":
            source = _steps(operation["from"])
            value = _at(document, source)
            return _put(_removed(document, source), path, value, insert=True)
        case "test":
            if _at(document, path) != operation.get("value"):
                raise ValueError(operation["path"])
            return document
    raise ValueError("op")


def _steps(pointer: str) -> list[str]:
    """A JSON pointer (RFC 6901) as its steps."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, last = _at(document, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif not insert:
        parent[int(last)] = value
    elif 0 <= int(last) <= len(parent):
        parent.insert(int(last), value)
    else:
        raise IndexError(last)
    return document


def _removed(document: Any, path: list[str]) -> Any:
    parent, last = _at(document, path[:-1]), path[-1]
    del parent[int(last) if isinstance(parent, list) else last]
    return document
