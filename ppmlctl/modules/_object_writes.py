"""Writes of one cluster object, each bound to the state that was looked at: so a process that was stopped between a
look and its write, and woken after another had taken over, overwrites nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.labels import environment_of
from ppmlctl.kubernetes.ownership import has_updated
from ppmlctl.modules._kubernetes import manager_of, require_free
from ppmlctl.modules._removal_hold import holds
from ppmlctl.modules.context import Context

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, ObjectKey, Propagation

REMOVAL_SECONDS = 300.0
"""How long a removal waits until the object is gone; a namespace takes its content along."""
_OWNERS = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
"""Kinds whose pods must be gone too before the removal is done."""
_TRIES = 10
"""Controllers may write an object between a look and the write that is based on it, but hardly so often."""
_NEVER = "1"
"""A version that no object has: etcd's counter stands there before its first write. What is applied with it fails where
the object is there, and is made where it is not."""


def applied(ctx: Context, key: ObjectKey, manifest: Manifest, seen: Manifest | None, *, force: bool) -> Manifest:
    """Applies as this environment's manager to the object as it was `seen`; None: makes it.

    Where it is another by now it is looked at again: one of another environment is refused, and so are fields that
    others hold, unless `force` takes them over.
    """
    from ppmlctl.clients.kubernetes import (  # noqa: PLC0415 - 0.3 s that --version spares
        ConflictError,
        MadeAnewError,
        ObjectExistsError,
    )

    client, manager, forced = ctx.engines.kubernetes, manager_of(ctx.environment), force or ctx.force_conflicts
    tries = _TRIES
    while True:
        try:
            if seen is None and client.is_created_only(manifest):
                return client.take_as_applied(client.create(manifest, manager=manager), manager)
            if seen is not None and has_updated(seen, manager):
                seen = client.take_as_applied(seen, manager)
            live = client.apply(_based_on(seen, manifest), manager=manager, force=forced and seen is not None)
        except (ConflictError, MadeAnewError, ObjectExistsError) as error:
            seen = _require_free(ctx, key)
            if _was_ending(ctx, key, seen):
                seen = None
                continue
            tries -= 1
            if not tries or (isinstance(error, ConflictError) and error.holds_fields and not forced):
                raise
        else:
            if not _was_ending(ctx, key, live):
                return live
            seen = None


def _based_on(seen: Manifest | None, manifest: Manifest) -> Manifest:
    """The manifest as one that the server takes only while the object is as it was seen, or not there."""
    state = {"resourceVersion": _NEVER}
    if seen is not None:
        state = {name: seen["metadata"][name] for name in ("resourceVersion", "uid")}
    return {**manifest, "metadata": {**manifest["metadata"], **state}}


def _require_free(ctx: Context, key: ObjectKey) -> Manifest | None:
    """What is there now. Raises EngineError (k8s-other-environment), but not for what is being deleted."""
    live = ctx.engines.kubernetes.get(key)
    if live is not None and "deletionTimestamp" not in live["metadata"]:
        require_free(key, environment_of(live), ctx.environment)
    return live


def _was_ending(ctx: Context, key: ObjectKey, live: Manifest | None) -> bool:
    """Whether this is a former object on its way out; it is let go first, so that what is applied is a new one."""
    from ppmlctl.clients.kubernetes import Condition  # noqa: PLC0415 - as above

    if live is None or "deletionTimestamp" not in live["metadata"]:
        return False
    ctx.tell(f"waits until the former {key} is gone")
    gone = Condition("the former one is gone", lambda now: now is None or "deletionTimestamp" not in now["metadata"])
    ctx.engines.kubernetes.wait(key, gone, REMOVAL_SECONDS, stopping=ctx.stopping)
    return True


def delete_object(ctx: Context, key: ObjectKey, seen: Manifest) -> None:
    """Deletes the object as it was seen and waits until it is gone; another one of its name stays.

    Raises EngineError: k8s-removal-held, which says what holds it, k8s-other-environment where it changed hands, and
    WaitStoppedError where the user stops.
    """
    from ppmlctl.clients.kubernetes import Condition  # noqa: PLC0415 - as above

    client, uid = ctx.engines.kubernetes, seen["metadata"]["uid"]
    if not _deleted(ctx, key, seen):
        return
    gone = Condition("it is gone", lambda now: now is None or now["metadata"]["uid"] != uid)
    try:
        client.wait(key, gone, REMOVAL_SECONDS, stopping=ctx.stopping)
    except EngineError as error:
        if error.diagnostics[0].code != "k8s-timeout" or (live := client.get(key)) is None:
            raise
        raise _removal_held(key, live) from None


def _deleted(ctx: Context, key: ObjectKey, seen: Manifest) -> bool:
    """Asks for the deletion of this very object in this very state, or in a later one that is still ours."""
    from ppmlctl.clients.kubernetes import ConflictError  # noqa: PLC0415 - as above

    client, uid = ctx.engines.kubernetes, seen["metadata"]["uid"]
    propagation: Propagation = "Foreground" if key.kind in _OWNERS else "Background"
    now: Manifest | None = seen
    for tries_left in reversed(range(_TRIES)):
        if now is None or now["metadata"]["uid"] != uid:
            return False
        try:
            return client.delete(key, propagation=propagation, uid=uid, version=now["metadata"]["resourceVersion"])
        except ConflictError:
            if not tries_left:
                raise
        now = _require_free(ctx, key)
    return False


def _removal_held(key: ObjectKey, live: Manifest) -> EngineError:
    held = [f"{key}: not gone after {REMOVAL_SECONDS:g} s", *holds(live)]
    title = "an object that is being deleted does not go"
    fix = "let what is named end its work, or remove its cause; then run the same command again"
    return EngineError(Diagnostic("k8s-removal-held", title, found="\n".join(held), fix=fix))
