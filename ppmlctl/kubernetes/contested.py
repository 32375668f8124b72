"""Which fields an apply would take from other managers: the server refuses that, unless it is forced.

Held to the server's own answer (a conflict names field and manager) by the tests. A value that a plan does not know yet
counts as another one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.unknown import Unknown

Manifest = Mapping[str, Any]


def contested(desired: Manifest, live: Manifest, manager: str) -> dict[str, str]:
    """The managers, by path, that hold what `desired` would change as `manager`."""
    wanted, found = _as_stored(desired), dict[str, str]()
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        holder = str(entry.get("manager") or "somebody")
        if holder != manager:
            for path in _clashes("", wanted, live, entry.get("fieldsV1") or {}):
                found.setdefault(path, holder)
    return found


def _as_stored(desired: Manifest) -> dict[str, Any]:
    """A Secret's text as the server keeps it, in base64; everything else as it is."""
    text = desired.get("stringData")
    if not isinstance(text, Mapping):
        return dict(desired)
    data = {**(desired.get("data") or {}), **{name: _encoded(value) for name, value in text.items()}}
    return {name: value for name, value in desired.items() if name != "stringData"} | {"data": data}


def _encoded(value: Any) -> Any:
    if isinstance(value, Secret):
        try:
            return base64.b64encode(value.reveal_bytes()).decode()
        except SecretLockedError:
            return Unknown("vault locked")
    return base64.b64encode(value.encode()).decode() if isinstance(value, str) else value


def _clashes(path: str, desired: Any, live: Any, fields: Manifest) -> Iterator[str]:
    """Paths that the trie `fields` names, and at which something else is desired than what is live."""
    steps = [step for step in fields if step != "."]
    if isinstance(desired, Unknown):
        yield path
    elif steps:
        for step in steps:
            found = _below(path, desired, live, step)
            if found is not None:
                yield from _clashes(*found, fields[step] or {})
    elif not fields and _differ(desired, live):
        yield path


def _below(path: str, desired: Any, live: Any, step: str) -> tuple[str, Any, Any] | None:
    """What both sides have behind one step of the trie; None where one has nothing, or the step is a set's member."""
    kind, _, text = step.partition(":")
    if kind == "f" and isinstance(desired, Mapping) and isinstance(live, Mapping) and text in desired and text in live:
        return f"{path}.{text}".lstrip("."), desired[text], live[text]
    if kind == "k" and isinstance(desired, list) and isinstance(live, list):
        key = json.loads(text)
        ours, theirs = (_element(one, key) for one in (desired, live))
        name = ",".join(str(value) for value in key.values())
        return None if ours is None or theirs is None else (f"{path}[{name}]", ours, theirs)
    return None


def _element(elements: list[Any], key: Mapping[str, Any]) -> Any:
    return next((one for one in elements if isinstance(one, Mapping) and key.items() <= one.items()), None)


def _differ(desired: Any, live: Any) -> bool:
    """Numbers may be spelled as text."""
    if isinstance(desired, Mapping | list) or isinstance(live, Mapping | list):
        return bool(desired != live)
    return str(desired) != str(live)
