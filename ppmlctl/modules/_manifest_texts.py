"""Fields of a manifest that are text to every server, and no text as YAML reads them: 123, true, 1.10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import InitErrorDetails, PydanticCustomError

from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

_NAMES = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
_TEMPLATE = ("spec", "template")
_MAPS: tuple[tuple[str, ...], ...] = (
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("spec", "selector", "matchLabels"),
    (*_TEMPLATE, "metadata", "labels"),
    (*_TEMPLATE, "metadata", "annotations"),
    (*_TEMPLATE, "spec", "nodeSelector"),
)


def texts_that_are_none(manifest: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Each with its place in the manifest; the value is not repeated."""
    maps = (*_MAPS, ("data",)) if manifest.get("kind") == "ConfigMap" else _MAPS
    for path in _NAMES:
        yield from _checked(path, _at(manifest, path))
    for place in maps:
        found = _at(manifest, place)
        if isinstance(found, Mapping):
            for name, value in found.items():
                yield from _checked((*place, str(name)), value)


def _at(manifest: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = manifest
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _checked(path: tuple[str, ...], value: Any) -> Iterator[InitErrorDetails]:
    if value is None or isinstance(value, str | Secret | Unknown):
        return
    kind = "a boolean" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "no text"
    told = PydanticCustomError("not_text", f"it is {kind}, and must be text: write it in quotes")
    yield InitErrorDetails(type=told, loc=path, input=None)
