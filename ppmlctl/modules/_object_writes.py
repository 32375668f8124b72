"""Writes of one cluster object: applied as its environment's own manager, deleted until it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._kubernetes import environment_of, manager_of, require_free
from ppmlctl.modules._removal_hold import holds
from ppmlctl.modules.context import Context

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest, ObjectKey, Propagation

REMOVAL_SECONDS = 300.0
"""How long a removal waits until the object is gone; a namespace takes its content along."""
_OWNERS = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
"""Kinds whose pods must be gone too before the removal is done."""
_FORCED_TRIES = 10
"""Controllers may write an object between a look and the apply that is based on it, but hardly so often."""


def applied(ctx: Context, key: ObjectKey, manifest: Manifest, *, force: bool) -> Manifest:
    """Applies as this environment's manager, which the server refuses for an object of another environment.

    Forced, the server would let that pass: so force goes only with the very version of the object that was looked at.
    """
    from ppmlctl.clients.kubernetes import ConflictError  # noqa: PLC0415 - 0.3 s that --version does not pay

    client, manager, forced = ctx.engines.kubernetes, manager_of(ctx.environment), force or ctx.force_conflicts
    tries = _FORCED_TRIES if forced else 1
    while True:
        seen = _require_free(ctx, key) if forced else None
        try:
            live = client.apply(_based_on(seen, manifest), manager=manager, force=seen is not None)
        except ConflictError:
            if _was_ending(ctx, key, _require_free(ctx, key)):
                continue
            tries -= 1
            if not tries:
                raise
        else:
            if not _was_ending(ctx, key, live):
                return live


def _based_on(seen: Manifest | None, manifest: Manifest) -> Manifest:
    """The manifest as one that the server takes only while the object is as it was seen."""
    if seen is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": seen["metadata"]["resourceVersion"]}}


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


def delete_object(ctx: Context, key: ObjectKey, uid: str) -> None:
    """Deletes the object of that uid and waits until it is gone.

    Raises EngineError: k8s-removal-held, which says what holds it, and WaitStoppedError where the user stops.
    """
    from ppmlctl.clients.kubernetes import Condition  # noqa: PLC0415 - as above

    client = ctx.engines.kubernetes
    propagation: Propagation = "Foreground" if key.kind in _OWNERS else "Background"
    if not client.delete(key, propagation=propagation, uid=uid):
        return
    gone = Condition("it is gone", lambda now: now is None or now["metadata"]["uid"] != uid)
    try:
        client.wait(key, gone, REMOVAL_SECONDS, stopping=ctx.stopping)
    except EngineError as error:
        if error.diagnostics[0].code != "k8s-timeout" or (live := client.get(key)) is None:
            raise
        raise _removal_held(key, live) from None


def _removal_held(key: ObjectKey, live: Manifest) -> EngineError:
    held = [f"{key}: not gone after {REMOVAL_SECONDS:g} s", *holds(live)]
    title = "an object that is being deleted does not go"
    fix = "let what is named end its work, or remove its cause; then run the same command again"
    return EngineError(Diagnostic("k8s-removal-held", title, found="\n".join(held), fix=fix))
