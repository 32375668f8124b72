"""States of pods, and of what is made of pods: why they are not ready, and whether waiting longer can help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppmlctl.kubernetes.objects import Manifest

WITH_PODS = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
"""Kinds that become ready by their pods."""
CRASHES = 3
"""Restarts of a crashing container after which nobody waits for it any more (about a minute, by kubelet's pauses)."""
_NEVER = frozenset({"ErrImageNeverPull", "InvalidImageName"})
"""Why a container waits that will never start as it is declared."""


def hopeless(live: Manifest, pods: list[Manifest]) -> str | None:
    """Why waiting longer cannot help; None where it may."""
    for condition in (live.get("status") or {}).get("conditions") or ():
        kind, status = condition.get("type"), condition.get("status")
        if (live["kind"], kind, status) in {("Job", "Failed", "True"), ("Deployment", "Progressing", "False")}:
            return f"{condition.get('reason')}: {condition.get('message')}"
    if live["kind"] == "Pod" and (live.get("status") or {}).get("phase") == "Failed":
        return "the pod has failed"
    for name, state in (pair for pod in pods for pair in containers(pod)):
        waiting = (state.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _NEVER:
            return f"container {name}: {waiting['reason']}"
        if waiting.get("reason") == "CrashLoopBackOff" and state.get("restartCount", 0) >= CRASHES:
            return f"container {name} crashed {state['restartCount'] + 1} times"
    return None


def short_reason(pods: list[Manifest]) -> str:
    """Of the first pod that says why it is not ready, in one line; empty where none does."""
    return next((line for pod in pods for line in states(pod)), "")


def states(pod: Manifest) -> Iterator[str]:
    """What the scheduler and the kubelet say of a pod that is not ready."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"{condition.get('reason', 'not scheduled')}: {condition.get('message', '')}".rstrip(": ")
    for name, state in containers(pod):
        now, before = state.get("state") or {}, (state.get("lastState") or {}).get("terminated")
        if waiting := now.get("waiting"):
            yield f"container {name} waits: {_worded(waiting, 'waiting')}"
        if ended := now.get("terminated") or before:
            times = f", {state['restartCount']} restarts" if state.get("restartCount") else ""
            yield f"container {name} ended: {_worded(ended, 'ended')}{times}"
        elif "running" in now and not state.get("ready"):
            yield f"container {name} runs and is not ready"


def _worded(state: Mapping[str, Any], otherwise: str) -> str:
    code = f", exit code {state['exitCode']}" if "exitCode" in state else ""
    message = str(state.get("message") or "").strip()
    return f"{state.get('reason', otherwise)}{code}{': ' if message else ''}{message}"


def containers(pod: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    status = pod.get("status") or {}
    for state in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield state["name"], state


def is_done(pod: Manifest) -> bool:
    status = pod.get("status") or {}
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ())
    return ready or status.get("phase") == "Succeeded" or "deletionTimestamp" in pod["metadata"]


def selector_of(live: Manifest) -> str:
    """The label selector by which a controller knows its pods."""
    selector = (live.get("spec") or {}).get("selector") or {}
    parts = [f"{name}={value}" for name, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        values = f" ({','.join(one.get('values') or ())})"
        words = {"In": f"{one['key']} in{values}", "NotIn": f"{one['key']} notin{values}"}
        words |= {"Exists": one["key"], "DoesNotExist": f"!{one['key']}"}
        parts.append(words[one["operator"]])
    return ",".join(parts)
