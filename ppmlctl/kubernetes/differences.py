"""Compares what a manifest declares with what is live, field by field.

Only declared fields count: what the server or a controller fills in is no difference. Lists that Kubernetes merges are
compared by their keys, all others as a whole; other spellings of the same value are equal. A field that was declared
before and is no longer, but is still there, is a difference too. The values of a Secret are never in the result.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ppmlctl.kubernetes.quantity import amount
from ppmlctl.kubernetes.schema import (
    KEY_DEFAULTS,
    SETS,
    Path,
    is_absent_when_zero,
    is_int_or_string,
    is_quantity,
    merge_keys,
)
from ppmlctl.secret import MASK, Secret
from ppmlctl.unknown import Unknown

Manifest = Mapping[str, Any]

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


def differences(desired: Manifest, live: Manifest, previous: Manifest | None = None) -> list[FieldDifference]:
    """The fields in which `live` is not as `desired` declares, in the manifest's order; none where all is well.

    `previous` is what was declared before: its fields that `desired` leaves out, but that are still live, come last.
    """
    top = _Place(of_secret=desired.get("kind") == "Secret")
    wanted, there = _comparable(desired), _comparable(live)
    found = list(_unlike(top, wanted, there))
    if previous is not None:
        found += _dropped(top, _comparable({**previous, "kind": desired.get("kind")}), there, wanted)
    return found


@dataclass(frozen=True)
class _Place:
    """Where in a manifest the comparison is: `text` for people, `path` for the schema, without elements of lists."""

    of_secret: bool
    text: str = ""
    path: Path = ()

    def field(self, name: str) -> _Place:
        plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
        step = (f".{name}" if self.text else name) if plain else f"[{json.dumps(name)}]"
        return _Place(self.of_secret, self.text + step, (*self.path, name))

    def element(self, label: str) -> _Place:
        return _Place(self.of_secret, f"{self.text}[{label}]", self.path)

    def difference(self, live: Any, desired: Any) -> FieldDifference:
        return FieldDifference(self.text, self._shown(live), self._shown(desired))

    def _shown(self, value: Any) -> Any:
        masked = self.of_secret and (self.path[:1] == ("data",) or self.path[-1] == _LAST_APPLIED)
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
    return {**kept, "data": {**data, **text}}


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


def _unlike(place: _Place, desired: Any, live: Any) -> Iterator[FieldDifference]:
    """Differences of what is declared at one place. Null declares nothing."""
    if isinstance(desired, Secret) and not desired.is_available():
        desired = _revealed(desired)
    if isinstance(desired, Unknown):
        yield place.difference(live, desired)
    elif isinstance(desired, Mapping) and isinstance(live, Mapping | Absent | None):
        there = live if isinstance(live, Mapping) else {}
        for name, value in desired.items():
            yield from _unlike(place.field(name), value, there.get(name, ABSENT))
    elif isinstance(desired, list) and isinstance(live, list | Absent | None):
        yield from _unlike_list(place, desired, live if isinstance(live, list) else [])
    elif live is ABSENT or live is None:
        if not is_absent_when_zero(place.path, desired):
            yield place.difference(live, desired)
    elif desired is not None and not _is_same(place.path, desired, live):
        yield place.difference(live, desired)


def _unlike_list(place: _Place, desired: list[Any], live: list[Any]) -> Iterator[FieldDifference]:
    keys = _keys_of(place, desired, live)
    if keys:
        yield from _unlike_merged(place, keys, desired, live)
    elif place.path[-1] in SETS:
        yield from (place.element(str(value)).difference(ABSENT, value) for value in desired if value not in live)
    elif len(desired) != len(live):
        yield place.difference(live or ABSENT, desired)
    else:
        for number, (wanted, there) in enumerate(zip(desired, live, strict=True)):
            yield from _unlike(place.element(str(number)), wanted, there)


def _unlike_merged(
    place: _Place, keys: Sequence[str], desired: list[Any], live: list[Any]
) -> Iterator[FieldDifference]:
    there = {_identity(element, keys): element for element in live}
    for element in desired:
        identity = _identity(element, keys)
        inside = place.element(_label(keys, identity))
        if identity in there:
            yield from _unlike(inside, element, there[identity])
        else:
            yield inside.difference(ABSENT, element)


def _dropped(place: _Place, previous: Any, live: Any, desired: Any) -> Iterator[FieldDifference]:
    """What was declared at one place before, is declared no longer, and is still as it was declared."""
    if live is ABSENT or live is None:
        return
    if isinstance(previous, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping | Absent | None):
        for name, value in previous.items():
            wanted = (desired or {}).get(name, ABSENT) if isinstance(desired, Mapping) else ABSENT
            if KEY_DEFAULTS.get(name) != live.get(name):
                yield from _dropped(place.field(name), value, live.get(name, ABSENT), wanted)
    elif isinstance(previous, list) and isinstance(live, list) and (keys := _keys_of(place, previous, live)):
        yield from _dropped_elements(place, keys, previous, live, desired if isinstance(desired, list) else [])
    elif isinstance(previous, list) and isinstance(live, list) and place.path[-1] in SETS:
        kept = desired if isinstance(desired, list) else []
        members = [member for member in previous if member in live and member not in kept]
        yield from (place.element(str(member)).difference(member, ABSENT) for member in members)
    elif (desired is ABSENT or desired is None) and not any(_unlike(place, previous, live)):
        yield place.difference(live, ABSENT)


def _dropped_elements(
    place: _Place, keys: Sequence[str], previous: list[Any], live: list[Any], desired: list[Any]
) -> Iterator[FieldDifference]:
    there = {_identity(element, keys): element for element in live}
    wanted = {_identity(element, keys): element for element in desired if isinstance(element, Mapping)}
    for element in previous:
        identity = _identity(element, keys)
        inside = place.element(_label(keys, identity))
        if identity in wanted:
            yield from _dropped(inside, element, there.get(identity, ABSENT), wanted[identity])
        elif identity in there:
            yield inside.difference(there[identity], ABSENT)


def _keys_of(place: _Place, *lists: list[Any]) -> tuple[str, ...]:
    """The keys by which a list is merged; none where it is atomic, or where its elements do not have them."""
    keys = merge_keys(place.path)
    for elements in lists:
        identities = [_identity(element, keys) for element in elements]
        if not all(isinstance(part, str | int) for identity in identities for part in identity):
            return ()
        if len(set(identities)) < len(identities):
            return ()
    return keys


def _identity(element: Any, keys: Sequence[str]) -> tuple[Any, ...]:
    if not isinstance(element, Mapping):
        return (None,)
    return tuple(element.get(key, KEY_DEFAULTS.get(key)) for key in keys)


def _label(keys: Sequence[str], identity: tuple[Any, ...]) -> str:
    return ",".join(f"{key}={part}" for key, part in zip(keys, identity, strict=True))


def _is_same(path: Path, desired: Any, live: Any) -> bool:
    if isinstance(desired, Secret):
        return desired == Secret(live) if isinstance(live, str | bytes) else False
    if is_quantity(path):
        amounts = amount(desired), amount(live)
        if None not in amounts:
            return amounts[0] == amounts[1]
    if is_int_or_string(path):
        return str(desired) == str(live)
    return isinstance(desired, bool) == isinstance(live, bool) and bool(desired == live)
