"""The default decision: what is wanted against what was recorded, and what was recorded against what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppmlctl.planning.model import ActionKind, Change, FieldChange, Observed, Recorded, Wanted

SECRET = "$digest"  # noqa: S105 - the key under which a keyed digest is recorded
"""In recorded inputs, `{$digest: …}` stands for a secret value. No name of data in Kubernetes holds a `$`."""
LOCKED: Mapping[str, Any] = {SECRET: None}
"""The recorded form of a secret argument while the vault is locked: equal to every digest."""


def decide(
    wanted: Wanted, observed: Observed, recorded: Recorded | None, *, replace_on: frozenset[str] = frozenset()
) -> Change:
    """create, adopt, replace, update or keep; the order of the checks is the order of their weight."""
    if recorded is None and observed.exists:
        return Change(ActionKind.CREATE, ("adopts what is there already",), tuple(_as_new(wanted.inputs)))
    if recorded is None or not observed.exists:
        return Change(ActionKind.CREATE, (why_absent(observed, recorded),), tuple(_as_new(wanted.inputs)))
    changed = tuple(input_changes(recorded.inputs, wanted.inputs))
    forcing = [change.path for change in changed if change.path.split(".")[0] in replace_on]
    if forcing:
        return Change(ActionKind.REPLACE, tuple(f"{path} cannot be changed in place" for path in forcing), changed)
    drifted = tuple(drift(recorded.result, observed.fields))
    if changed or drifted:
        reasons = (*(("inputs changed",) if changed else ()), *(("changed outside ppmlctl",) if drifted else ()))
        return Change(ActionKind.UPDATE, reasons, (*changed, *drifted))
    return Change(ActionKind.KEEP, ("as recorded",))


def why_absent(observed: Observed, recorded: Recorded | None) -> str:
    """The reason of a `create`, in words. That nothing is there is said only where somebody looked."""
    if not observed.looked_at:
        return "not looked at before apply"
    return "not there yet" if recorded is None else "was made before, is not there any more"


def input_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The inputs that differ, by path; a locked secret differs from nothing."""
    yield from _differences("", before, after)


def drift(recorded: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The observed fields that differ from the recorded result: before is what is there, after what was recorded."""
    for name, value in observed.items():
        if name in recorded and recorded[name] != value:
            yield FieldChange(name, value, recorded[name])


def _as_new(inputs: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name, value in inputs.items():
        if value is not None:
            yield FieldChange(name, None, value)


def _differences(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after or LOCKED in (before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not _is_digest(before) and not _is_digest(after):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _differences(f"{path}.{name}" if path else name, before.get(name), after.get(name))
        return
    yield FieldChange(path, before, after)


def _is_digest(value: Mapping[str, Any]) -> bool:
    return value.keys() == {SECRET}
