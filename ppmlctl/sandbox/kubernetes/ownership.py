"""Who owns which field: the managedFields of an object as values. Pure.

Source of the rules: kubernetes.io/docs/reference/using-api/server-side-apply; structured-merge-diff, merge/update.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ppmlctl.sandbox.kubernetes import status
from ppmlctl.sandbox.kubernetes.fields import FieldSet, Path, as_text, decode, encode, leaves, with_prefixes
from ppmlctl.sandbox.kubernetes.kinds import Json
from ppmlctl.sandbox.kubernetes.merging import METADATA, merge, remove
from ppmlctl.sandbox.kubernetes.schema import Struct

APPLY = "Apply"
UPDATE = "Update"

_SERVER_METADATA = ("uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields")
_IDENTITY = (("f:apiVersion",), ("f:kind",), METADATA)
UNOWNED = frozenset((*_IDENTITY, *((*METADATA, f"f:{field}") for field in ("name", "namespace", *_SERVER_METADATA))))
"""Fields that identify an object or belong to the server; nobody owns them."""


@dataclass(frozen=True)
class Owner:
    """One entry of managedFields."""

    manager: str
    operation: str
    api_version: str
    fields: FieldSet
    time: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.manager, self.operation, self.subresource

    @property
    def described(self) -> str:
        """The manager as conflict messages name it."""
        if self.operation == APPLY:
            return f'"{self.manager}"'
        below = f" with subresource {self.subresource!r}".replace("'", '"') if self.subresource else ""
        return f'"{self.manager}"{below} using {self.api_version}'

    def as_json(self) -> Json:
        entry = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
        }
        below = {"subresource": self.subresource} if self.subresource else {}
        return entry | {"fieldsType": "FieldsV1", "fieldsV1": encode(self.fields)} | below


def owners_of(live: Mapping[str, Any]) -> tuple[Owner, ...]:
    """The owners that an object records."""
    return tuple(
        Owner(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", UPDATE),
            api_version=entry.get("apiVersion", ""),
            fields=decode(entry.get("fieldsV1", {})),
            time=entry.get("time", ""),
            subresource=entry.get("subresource", ""),
        )
        for entry in live.get("metadata", {}).get("managedFields", [])
    )


def record(owners: Iterable[Owner]) -> list[Json]:
    """The owners as managedFields; one that owns nothing is left out."""
    return [owner.as_json() for owner in owners if owner.fields]


def owned_leaves(value: Mapping[str, Any], schema: Struct) -> dict[Path, Any]:
    """What managers can own in an object."""
    return {path: found for path, found in leaves(value, schema) if path not in UNOWNED}


def applied(live: Json, config: Json, schema: Struct, by: Owner, *, force: bool) -> tuple[Json, tuple[Owner, ...]]:
    """The merged object and its owners after `by` applied `config`.

    Raises ApiError (Conflict) naming the other managers, unless `force`. Fields that `by` applied before, names no
    longer, and shares with nobody are taken out.
    """
    standing, wanted = owned_leaves(live, schema), owned_leaves(config, schema)
    owners = owners_of(live)
    others = [owner for owner in owners if owner.identity != by.identity]
    changed = frozenset(path for path, value in wanted.items() if path not in standing or standing[path] != value)
    conflicts = [(other.described, as_text(path)) for other in others for path in sorted(other.fields & changed)]
    if conflicts and not force:
        raise status.ownership_conflict(conflicts)
    others = [replace(other, fields=other.fields - changed) for other in others]
    before = next((owner for owner in owners if owner.identity == by.identity), None)
    mine = by if before is None or before.fields != frozenset(wanted) else before
    mine = replace(mine, fields=frozenset(wanted))
    merged = merge(live, config, schema)
    if before is not None:
        merged = remove(merged, schema, _given_up(before.fields, mine.fields, others))
    return merged, _in_order((*others, mine))


def _given_up(before: FieldSet, now: FieldSet, others: Sequence[Owner]) -> FieldSet:
    kept = with_prefixes(now).union(*(with_prefixes(other.fields) for other in others))
    return with_prefixes(before) - kept - {METADATA}


def updated(live: Json, new: Json, schema: Struct, by: Owner, *, forget: bool = False) -> tuple[Owner, ...]:
    """The owners after `by` replaced `live` by `new`: it owns what it set or changed, and nobody owns what is gone.

    `forget` takes all earlier owners away first, as an update with empty managedFields asks for.
    """
    standing, wanted = owned_leaves(live, schema), owned_leaves(new, schema)
    changed = frozenset(path for path, value in wanted.items() if path not in standing or standing[path] != value)
    gone = frozenset(standing) - frozenset(wanted)
    owners = () if forget else owners_of(live)
    others = [replace(owner, fields=owner.fields - changed - gone) for owner in owners if owner.identity != by.identity]
    before = next((owner for owner in owners if owner.identity == by.identity), None)
    fields = changed | ((before.fields - gone) if before else frozenset())
    mine = before if before and before.fields == fields else replace(by, fields=fields)
    return _in_order((*others, mine))


def _in_order(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Appliers first, then by time: the order in which the API server lists them."""
    return tuple(sorted(owners, key=lambda owner: (owner.operation, owner.time, owner.manager, owner.subresource)))
