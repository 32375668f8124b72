"""Waits for an object that becomes ready by its pods: tells meanwhile why it is not, and gives up where it cannot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.kubernetes.pods import WITH_PODS, hopeless, short_reason
from ppmlctl.modules._pod_reasons import pods_of, reasons
from ppmlctl.modules.context import Context

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Condition, Manifest

LOOK_SECONDS = 5.0
"""So often the pods are looked at while their object does not become ready."""
PULL_SECONDS = 60.0
"""How long images may fail to be pulled: kubelet has tried about four times by then."""
_PULLING = ("ErrImagePull", "ImagePullBackOff")


def await_ready(ctx: Context, live: Manifest, until: Condition, seconds: float) -> None:
    """Returns when the condition holds.

    Raises EngineError: k8s-timeout, and k8s-not-becoming-ready where waiting longer cannot help. For kinds with pods
    both say what these lack, what the cluster warns of and what a crashed container said last.
    """
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - 0.3 s that not every command pays

    if live["kind"] not in WITH_PODS:
        ctx.engines.kubernetes.wait(key_of(live), until, seconds, stopping=ctx.stopping)
        return
    _Watch(ctx, live, until, seconds).run()


class _Watch:
    def __init__(self, ctx: Context, live: Manifest, until: Condition, seconds: float) -> None:
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as above

        self.ctx, self.key, self.until, self.seconds = ctx, key_of(live), until, seconds
        self.told = ""
        self.started = time.monotonic()
        self.pulling_since: float | None = None

    def run(self) -> None:
        """In slices: the object is followed, and after each slice its pods are looked at."""
        while not self._became():
            live, pods = self._look()
            if live is None:
                continue
            why = hopeless(live, pods) or self._cannot_pull(pods)
            if why:
                title = "an object does not become ready"
                raise self._error("k8s-not-becoming-ready", title, f"{self.key}: {why}", live, pods)
            if not self._left():
                found = f"{self.key}: not after {self.seconds:g} s: {self.until.text}"
                raise self._error("k8s-timeout", "a condition was not reached in time", found, live, pods)
            if (reason := short_reason(pods)) != self.told:
                self.told = reason
                self.ctx.tell(f"waits: {reason or self.until.text}")

    def _became(self) -> bool:
        part = max(1.0, min(LOOK_SECONDS, self._left()))
        try:
            self.ctx.engines.kubernetes.wait(self.key, self.until, part, stopping=self.ctx.stopping)
        except TransientError:
            if not self._left():
                raise
            return False
        except EngineError as error:
            if error.diagnostics[0].code != "k8s-timeout":
                raise
            return False
        return True

    def _look(self) -> tuple[Manifest | None, list[Manifest]]:
        """The object and those of its pods that are not ready; None while the server does not answer."""
        client = self.ctx.engines.kubernetes
        try:
            live = client.get(self.key)
            if live is None:
                title = "an object was deleted while its readiness was waited for"
                raise EngineError(Diagnostic("k8s-not-found", title, found=str(self.key), fix="run again"))
            return live, pods_of(client, live)
        except TransientError:
            return None, []

    def _cannot_pull(self, pods: Sequence[Manifest]) -> str | None:
        """A registry that is out of reach for a moment is not the end; images that do not come for a minute are."""
        states = [state for pod in pods for state in (pod.get("status") or {}).get("containerStatuses") or ()]
        waiting = [(state["name"], ((state.get("state") or {}).get("waiting") or {}).get("reason")) for state in states]
        failing = [name for name, reason in waiting if reason in _PULLING]
        if not failing:
            self.pulling_since = None
            return None
        self.pulling_since = self.pulling_since or time.monotonic()
        if time.monotonic() - self.pulling_since < PULL_SECONDS:
            return None
        return f"the image of container {failing[0]} cannot be pulled"

    def _error(self, code: str, title: str, found: str, live: Manifest, pods: list[Manifest]) -> EngineError:
        lines = [found, *reasons(self.ctx.engines.kubernetes, live, pods)]
        fix = "mend the cause, then run the same command again"
        return EngineError(Diagnostic(code, title, found="\n".join(lines), fix=fix))

    def _left(self) -> float:
        return max(0.0, self.started + self.seconds - time.monotonic())
