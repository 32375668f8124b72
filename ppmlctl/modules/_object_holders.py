"""Who holds what a task wants to declare: said in the plan, since an apply would be refused half-way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ppmlctl.kubernetes.contested import contested
from ppmlctl.kubernetes.labels import ENVIRONMENT, environment_of
from ppmlctl.modules._kubernetes import manager_of

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, ObjectKey

_SHOWN = 3
"""Fields that one line names."""


def held_by_others(
    key: ObjectKey, desired: Manifest, live: Manifest, environment: str, *, force: bool
) -> Iterator[str]:
    """One line for each other owner of the object or of its fields."""
    owner = environment_of(live)
    if owner not in ("", environment):
        yield f"{key} belongs to another environment ({ENVIRONMENT}={owner}): apply is refused"
        return
    holders: dict[str, list[str]] = {}
    for path, holder in contested(desired, live, manager_of(environment)).items():
        holders.setdefault(holder, []).append(path)
    end = "they are taken over (--force-conflicts)" if force else "apply is refused, unless told --force-conflicts"
    for holder, paths in holders.items():
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        yield f"{key} is there already, and {holder} holds {', '.join(paths[:_SHOWN])}{more}: {end}"
