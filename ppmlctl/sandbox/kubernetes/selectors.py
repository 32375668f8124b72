"""Label and field selectors, as lists and watches take them. Pure.

Source: apimachinery, pkg/labels/selector.go and pkg/fields/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.status import bad_request
from ppmlctl.sandbox.kubernetes.validation import found_at

Test: TypeAlias = Callable[[Mapping[str, str]], bool]

_KEY = r"(?:[a-z0-9.-]+/)?[A-Za-z0-9][-A-Za-z0-9_.]*"
_VALUE = r"[-A-Za-z0-9_.]*"
_EQUALITY = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_MEMBERSHIP = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_PRESENCE = re.compile(rf"(!?)\s*({_KEY})")


@dataclass(frozen=True)
class Selection:
    """Which objects a list or watch is about."""

    labels: tuple[Test, ...] = ()
    fields: tuple[tuple[str, str, bool], ...] = ()
    """Path, value, and whether it must be equal or must not."""

    def admits(self, obj: Json) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in self.labels) and all(
            ((found_at(obj, path) or "") == value) is equal for path, value, equal in self.fields
        )


def parse_selection(kind: Kind, label_selector: str, field_selector: str) -> Selection:
    """The selection that the two query parameters describe. Raises ApiError (BadRequest)."""
    labels = tuple(_label_test(part) for part in _split(label_selector))
    return Selection(labels, tuple(_field_test(kind, part) for part in _split(field_selector)))


def _split(selector: str) -> Iterator[str]:
    """The parts between commas that stand outside parentheses."""
    yield from (part.strip() for part in re.findall(r"(?:[^,(]|\([^)]*\))+", selector) if part.strip())


def _label_test(part: str) -> Test:
    if match := _EQUALITY.fullmatch(part):
        key, operator, value = match.groups()
        return lambda labels: (labels.get(key) == value) is (operator != "!=")
    if match := _MEMBERSHIP.fullmatch(part):
        key, operator = match[1], match[2]
        values = {value.strip() for value in match[3].split(",")}
        return lambda labels: (labels.get(key) in values) is (operator == "in")
    if match := _PRESENCE.fullmatch(part):
        absent, key = bool(match[1]), match[2]
        return lambda labels: (key in labels) is not absent
    raise bad_request(f"unable to parse requirement: {part!r}")


def _field_test(kind: Kind, part: str) -> tuple[str, str, bool]:
    match = re.fullmatch(r"([A-Za-z.]+)\s*(==|=|!=)\s*(.*)", part)
    if match is None:
        raise bad_request(f"invalid selector: {part!r}; can't understand {part!r}")
    path, operator, value = match.groups()
    known = ("metadata.name", "metadata.namespace", *kind.field_selectors)
    if path not in known:
        listed = ", ".join(f'"{name}"' for name in known)
        raise bad_request(f'"{path}" is not a known field selector: only {listed}')
    return path, value, operator != "!="
