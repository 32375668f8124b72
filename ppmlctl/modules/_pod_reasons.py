"""Why the pods of an object do not become ready, and whether waiting longer can help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import EngineError
from ppmlctl.modules._pod_cause import meaning_lines, warnings_of
from ppmlctl.modules._pod_secrets import without_secrets

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

WITH_PODS = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
"""Kinds that become ready by their pods."""
CRASHES = 3
"""Restarts of a crashing container after which nobody waits for it any more (about a minute, by kubelet's pauses)."""
_NEVER = frozenset({"ErrImageNeverPull", "InvalidImageName"})
"""Why a container waits that will never start as it is declared."""
_MOST_PODS = 2
_LOG_LINES = 10


def pods_of(client: KubernetesClient, live: Manifest) -> list[Manifest]:
    """The pods of the object that are not ready, oldest first."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    if live["kind"] == "Pod":
        alone = client.get(key_of(live))
        found = [] if alone is None else [alone]
    else:
        found = client.list_objects("v1", "Pod", live["metadata"]["namespace"], label_selector=_selector(live))
    lacking = [pod for pod in found if not _is_done(pod)]
    return sorted(lacking, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def hopeless(live: Manifest, pods: list[Manifest]) -> str | None:
    """Pure. Why waiting longer cannot help; None where it may."""
    for condition in (live.get("status") or {}).get("conditions") or ():
        kind, status = condition.get("type"), condition.get("status")
        if (live["kind"], kind, status) in {("Job", "Failed", "True"), ("Deployment", "Progressing", "False")}:
            return f"{condition.get('reason')}: {condition.get('message')}"
    if live["kind"] == "Pod" and (live.get("status") or {}).get("phase") == "Failed":
        return "the pod has failed"
    for name, state in (pair for pod in pods for pair in _containers(pod)):
        waiting = (state.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _NEVER:
            return f"container {name}: {waiting['reason']}"
        if waiting.get("reason") == "CrashLoopBackOff" and state.get("restartCount", 0) >= CRASHES:
            return f"container {name} crashed {state['restartCount'] + 1} times"
    return None


def short_reason(pods: list[Manifest]) -> str:
    """Pure. Of the first pod that says why it is not ready, in one line; empty where none does."""
    return next((line for pod in pods for line in _states(pod)), "")


def reasons(client: KubernetesClient, live: Manifest, pods: list[Manifest]) -> list[str]:
    """The state of the first pods, recent warnings, the last lines of what crashed, and what these mean."""
    lines: list[str] = []
    for pod in pods[:_MOST_PODS]:
        told = list(_states(pod)) or [str((pod.get("status") or {}).get("phase", "Unknown"))]
        below = [*_warnings(client, pod), *_log(client, pod)]
        lines += [f"pod {pod['metadata']['name']}: {'; '.join(told)}"]
        lines += [f"  {line}" for line in (*below, *meaning_lines("\n".join((*told, *below))))]
    if len(pods) > _MOST_PODS:
        lines.append(f"{len(pods) - _MOST_PODS} more pods are not ready")
    if not pods:
        makers = [live, *_replica_sets(client, live)]
        lines += [line for maker in makers for line in _warnings(client, maker)] or ["it has no pods"]
    return lines


def _states(pod: Manifest) -> Iterator[str]:
    """What the scheduler and the kubelet say of a pod that is not ready."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"{condition.get('reason', 'not scheduled')}: {condition.get('message', '')}".rstrip(": ")
    for name, state in _containers(pod):
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


def _containers(pod: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    status = pod.get("status") or {}
    for state in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield state["name"], state


def _is_done(pod: Manifest) -> bool:
    status = pod.get("status") or {}
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ())
    return ready or status.get("phase") == "Succeeded" or "deletionTimestamp" in pod["metadata"]


def _selector(live: Manifest) -> str:
    """The label selector by which a controller knows its pods."""
    selector = (live.get("spec") or {}).get("selector") or {}
    parts = [f"{name}={value}" for name, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        values = f" ({','.join(one.get('values') or ())})"
        words = {"In": f"{one['key']} in{values}", "NotIn": f"{one['key']} notin{values}"}
        words |= {"Exists": one["key"], "DoesNotExist": f"!{one['key']}"}
        parts.append(words[one["operator"]])
    return ",".join(parts)


def _replica_sets(client: KubernetesClient, live: Manifest) -> list[Manifest]:
    """Those of a Deployment, which make its pods and say why they cannot."""
    if live["kind"] != "Deployment":
        return []
    namespace, uid = live["metadata"]["namespace"], live["metadata"]["uid"]
    try:
        found = client.list_objects("apps/v1", "ReplicaSet", namespace, label_selector=_selector(live))
    except EngineError:
        return []  # the sandbox has none
    return [one for one in found if any(o["uid"] == uid for o in one["metadata"].get("ownerReferences") or ())]


def _warnings(client: KubernetesClient, about: Manifest) -> list[str]:
    return [f"warning {line}" for line in warnings_of(client, about)]


def _log(client: KubernetesClient, pod: Manifest) -> list[str]:
    """The last lines of the first container that crashed; none where they cannot be had, or not without secrets."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    for name, state in _containers(pod):
        before = "terminated" in (state.get("lastState") or {}) and "terminated" not in (state.get("state") or {})
        if not before and "terminated" not in (state.get("state") or {}):
            continue
        try:
            text = client.pod_log(key_of(pod), container=name, tail_lines=_LOG_LINES, previous=before)
            return [f"log {line}" for line in without_secrets(client, [pod], text).splitlines()]
        except EngineError:
            return []
    return []
