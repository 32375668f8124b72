"""What the server says of applying a manifest, without doing it: a dry run of the very request that an apply sends."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, changes, differences
from ppmlctl.kubernetes.filled import filled_in
from ppmlctl.kubernetes.objects import key_of
from ppmlctl.kubernetes.ownership import fields_of
from ppmlctl.modules._kubernetes import manager_of
from ppmlctl.modules.context import Context
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import InvalidError, Manifest

_NAME_LENGTH = 40


@dataclass(frozen=True)
class Answer:
    """One of three: `changes` that applying would make (none: it is as declared), or why it cannot be told which.

    `refused` are the server's words where a field of the live object cannot change; `changes` are then what differs.
    `unforeseen` is why it could not be asked. `filled`: texts that are declared empty cannot be emptied, so that what
    stands there is to be sent in their place.
    """

    changes: tuple[FieldDifference, ...] = ()
    refused: str = ""
    unforeseen: str = ""
    filled: bool = False


NOTHING_CHANGES = Answer()
_LOOKS = 3
"""How often an object that is written all the time is looked at again."""


def asked(ctx: Context, desired: Manifest, live: Manifest, *, changed: bool) -> tuple[Manifest, Answer]:
    """The live object, as it was at that instant, and the answer. What others hold is shown as taken over.

    `changed`: something else is declared than before, so that what is declared counts although its value stays.

    Raises EngineError (k8s-invalid) where the object would be refused whatever was there before.
    """
    from ppmlctl.clients.kubernetes import ForbiddenError, InvalidError  # noqa: PLC0415 - plans may need no cluster

    manager = manager_of(ctx.environment)
    declared = tuple(one for one in differences(desired, live, manager) if is_known(one))
    if _is_locked(desired):
        return live, Answer(declared)
    try:
        return _foreseen(ctx, desired, live, changed=changed)
    except ForbiddenError as error:
        return live, Answer(declared, unforeseen=error.diagnostics[0].found)
    except InvalidError as error:
        if not _is_about_the_change(ctx, desired, error):
            raise
        refused = error.words
    with suppress(InvalidError):
        filled = filled_in(desired, live)
        if filled != desired:
            live, answer = _foreseen(ctx, filled, live, changed=changed)
            return live, replace(answer, filled=True)
    return live, Answer(declared, refused=refused)


def _foreseen(ctx: Context, sent: Manifest, live: Manifest, *, changed: bool) -> tuple[Manifest, Answer]:
    client, manager = ctx.engines.kubernetes, manager_of(ctx.environment)
    foreseen = client.apply(sent, manager=manager, force=True, dry_run=True)
    for _ in range(_LOOKS):
        if foreseen["metadata"].get("resourceVersion") == live["metadata"].get("resourceVersion"):
            break
        # It was written since it was looked at: by a controller, which is no difference of ours.
        live = client.get(key_of(live)) or live
        foreseen = client.apply(sent, manager=manager, force=True, dry_run=True)
    found = changes(live, foreseen) or (_ownership(live, foreseen, manager) if changed else [])
    return live, Answer(tuple(found))


def is_known(difference: FieldDifference) -> bool:
    """False for a secret in a locked vault whose key is there: its value cannot be compared."""
    return not isinstance(difference.desired, Unknown) or difference.live is ABSENT


def _ownership(live: Manifest, foreseen: Manifest, manager: str) -> list[FieldDifference]:
    """That fields are declared from now on, or no longer, though their values stay: others declare the same."""
    before, after = fields_of(live, manager), fields_of(foreseen, manager)
    if before == after:
        return []
    return [FieldDifference("metadata.managedFields", "as declared before", "as declared now")]


def _is_about_the_change(ctx: Context, desired: Manifest, error: InvalidError) -> bool:
    """Whether what is refused is the step, not where it leads: the same object under another name would be taken."""
    if error.says_unchangeable:
        return True
    from ppmlctl.diagnostics import EngineError  # noqa: PLC0415 - here alone

    metadata = desired["metadata"]
    name = f"{metadata['name'][:_NAME_LENGTH].rstrip('.-')}-{secrets.token_hex(4)}"
    try:
        ctx.engines.kubernetes.create({**desired, "metadata": {**metadata, "name": name}}, dry_run=True)
    except EngineError:
        return False
    return True


def _is_locked(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_locked, value.values()))
    if isinstance(value, list):
        return any(map(_is_locked, value))
    return isinstance(value, Unknown) or (isinstance(value, Secret) and not value.is_available())
