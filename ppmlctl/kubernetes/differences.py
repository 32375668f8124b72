"""Compares two states of one object, field by field, by what the server itself says of the object's structure.

Which lists are merged and by which keys, and what belongs together as one value, is read from `metadata.managedFields`;
nothing here knows a kind, a default or a spelling. So a field that the server fills in, drops or spells otherwise is a
difference too: `stored` tells those that were there from the beginning. The values of a Secret are never shown.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ppmlctl.kubernetes.ownership import fields_of, fields_of_all
from ppmlctl.secret import MASK, Secret
from ppmlctl.unknown import Unknown

Manifest = Mapping[str, Any]
Fields = Mapping[str, Any]
"""A part of a trie of `fieldsV1`. Empty: one value, whatever is in it."""

_SERVERS_OWN = frozenset({"apiVersion", "kind", "status"})
SERVERS_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"},
)
"""Fields of metadata that no manifest declares, though one copied from a cluster has them."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Absent(Enum):
    """Stands for a field that is not there, which null would not tell from an empty one."""

    ABSENT = "absent"

    def __str__(self) -> str:
        return "(absent)"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class FieldDifference:
    """One field that is not as declared. `live` or `desired` is ABSENT where that side does not have it.

    `desired` is Unknown where it is not known yet, as for a secret in a locked vault.
    """

    path: str
    live: Any
    desired: Any
    plain: Any = field(default=ABSENT, repr=False, compare=False)
    """What is there, unmasked; for a digest and never for people."""


def differences(desired: Manifest, live: Manifest, manager: str) -> list[FieldDifference]:
    """The fields in which `live` is not as `desired` declares, in the manifest's order; none where all is well.

    Only what is declared is compared. `manager` is who applied it: its entry tells how the server merges lists.
    """
    top = _Place(of_secret=desired.get("kind") == "Secret", exact=False)
    return list(_unlike(top, _comparable(desired), _comparable(live), fields_of(live, manager) or None))


def changes(before: Manifest, after: Manifest) -> list[FieldDifference]:
    """All fields in which one state of an object differs from another; `desired` is what stands in `after`."""
    top = _Place(of_secret=after.get("kind") == "Secret", exact=True)
    return list(_unlike(top, _comparable(after), _comparable(before), fields_of_all(after) or None))


@dataclass(frozen=True)
class _Place:
    """Where in a manifest the comparison is. `exact`: what only the live side has is a difference too."""

    of_secret: bool
    exact: bool
    text: str = ""
    path: tuple[str, ...] = ()

    def field(self, name: str) -> _Place:
        plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
        step = (f".{name}" if self.text else name) if plain else f"[{json.dumps(name)}]"
        return _Place(self.of_secret, self.exact, self.text + step, (*self.path, name))

    def element(self, label: str) -> _Place:
        return _Place(self.of_secret, self.exact, f"{self.text}[{label}]", self.path)

    def whole(self) -> _Place:
        """The same place, as one value."""
        return _Place(self.of_secret, exact=True, text=self.text, path=self.path)

    def difference(self, live: Any, desired: Any) -> FieldDifference:
        return FieldDifference(self.text, self._shown(live), self._shown(desired), live)

    def _shown(self, value: Any) -> Any:
        masked = self.of_secret and (self.path[:1] == ("data",) or self.path[-1:] == (_LAST_APPLIED,))
        if value is ABSENT or isinstance(value, Unknown):
            return value
        return MASK if masked or isinstance(value, Secret) else value


def _comparable(manifest: Manifest) -> Manifest:
    """Without what is the server's own; a Secret's data as bytes, however they were spelt."""
    kept = {name: value for name, value in manifest.items() if name not in _SERVERS_OWN}
    metadata = kept.get("metadata") or {}
    kept["metadata"] = {name: value for name, value in metadata.items() if name not in SERVERS_METADATA}
    if manifest.get("kind") != "Secret":
        return kept
    data = {name: _secret_bytes(value, encoded=True) for name, value in (kept.get("data") or {}).items()}
    text = {name: _secret_bytes(value, encoded=False) for name, value in (kept.pop("stringData", None) or {}).items()}
    if data or text or "data" in kept:
        kept["data"] = {**data, **text}
    return kept


def _secret_bytes(value: Any, *, encoded: bool) -> Any:
    if isinstance(value, Secret):
        value = _revealed(value)
    if isinstance(value, str):
        value = value.encode()
    if not encoded or not isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value)
    except binascii.Error:
        return value


def _revealed(secret: Secret) -> str | bytes | Unknown:
    return secret.reveal() if secret.is_available() else Unknown("vault locked")


def _unlike(place: _Place, desired: Any, live: Any, fields: Fields | None) -> Iterator[FieldDifference]:
    """Differences at one place. Null declares nothing. `fields` None: nobody says how this place is merged."""
    if isinstance(desired, Secret):
        desired, live = _revealed(desired), _as_bytes(live)
        desired = _as_bytes(desired)
    if isinstance(desired, Unknown):
        yield place.difference(live, desired)
    elif isinstance(desired, Mapping) and isinstance(live, Mapping | Absent | None):
        yield from _unlike_mapping(place, desired, live, fields)
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _unlike_list(place, desired, live, fields)
    elif desired is not None and not _is_same(desired, live):
        yield place.difference(ABSENT if live is None else live, desired)


def _unlike_mapping(place: _Place, desired: Any, live: Any, fields: Fields | None) -> Iterator[FieldDifference]:
    if not isinstance(live, Mapping):
        if not desired:
            yield place.difference(ABSENT, desired)
        live = {}
    inside = place.whole() if fields == {} and desired else place
    for name, value in desired.items():
        below = None if not fields else fields.get(f"f:{name}")
        yield from _unlike(inside.field(name), value, live.get(name, ABSENT), below)
    if inside.exact:
        yield from (inside.field(name).difference(live[name], ABSENT) for name in live if name not in desired)


def _unlike_list(
    place: _Place, desired: list[Any], live: list[Any], fields: Fields | None
) -> Iterator[FieldDifference]:
    steps = [step for step in fields or () if step[:2] in {"k:", "v:"}]
    if steps and steps[0].startswith("v:"):
        yield from (place.element(str(value)).difference(ABSENT, value) for value in desired if value not in live)
        if place.exact:
            yield from (place.element(str(value)).difference(value, ABSENT) for value in live if value not in desired)
    elif steps:
        yield from _unlike_merged(place, desired, live, {step: fields[step] for step in steps} if fields else {})
    elif len(desired) != len(live):
        yield place.difference(live, desired)
    else:
        inside = place.whole() if fields == {} else place
        for number, (wanted, there) in enumerate(zip(desired, live, strict=True)):
            yield from _unlike(inside.element(str(number)), wanted, there, None)


def _unlike_merged(place: _Place, desired: list[Any], live: list[Any], fields: Fields) -> Iterator[FieldDifference]:
    """A list whose elements are told apart by keys. A key that may be left out is taken from the live element."""
    keys = list(json.loads(next(iter(fields))[2:]))
    left = list(live)
    for element in sorted(desired, key=lambda one: -len(_keys_in(one, keys))):
        known = _keys_in(element, keys)
        found = next((one for one in left if known and known.items() <= _keys_in(one, keys).items()), None)
        identity = known if found is None else _keys_in(found, keys)
        inside = place.element(_label(identity))
        if found is None:
            yield inside.difference(ABSENT, element)
        else:
            left.remove(found)
            yield from _unlike(inside, element, found, _below(fields, identity))
    if place.exact:
        yield from (place.element(_label(_keys_in(one, keys))).difference(one, ABSENT) for one in left)


def _below(fields: Fields, identity: Mapping[str, Any]) -> Fields | None:
    return next((below for step, below in fields.items() if json.loads(step[2:]) == identity), None)


def _keys_in(element: Any, keys: Sequence[str]) -> dict[str, Any]:
    return {key: element[key] for key in keys if key in element} if isinstance(element, Mapping) else {}


def _label(identity: Mapping[str, Any]) -> str:
    return ",".join(f"{key}={part}" for key, part in identity.items())


def _as_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _is_same(desired: Any, live: Any) -> bool:
    return isinstance(desired, bool) == isinstance(live, bool) and bool(desired == live)
