"""Why the pods of an object do not become ready, as the cluster tells it: states, events and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.kubernetes.pods import containers, is_done, selector_of, states
from ppmlctl.runs.pod_cause import meaning_lines, warnings_of
from ppmlctl.runs.pod_secrets import without_secrets

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_MOST_PODS = 2
_LOG_LINES = 10


def pods_of(client: KubernetesClient, live: Manifest) -> list[Manifest]:
    """The pods of the object that are not ready, oldest first."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    if live["kind"] == "Pod":
        alone = client.get(key_of(live))
        found = [] if alone is None else [alone]
    else:
        found = client.list_objects("v1", "Pod", live["metadata"]["namespace"], label_selector=selector_of(live))
    lacking = [pod for pod in found if not is_done(pod)]
    return sorted(lacking, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def reasons(client: KubernetesClient, live: Manifest, pods: list[Manifest]) -> list[str]:
    """The state of the first pods, recent warnings, the last lines of what crashed, and what these mean."""
    lines: list[str] = []
    for pod in pods[:_MOST_PODS]:
        told = list(states(pod)) or [str((pod.get("status") or {}).get("phase", "Unknown"))]
        below = [*_warnings(client, pod), *_log(client, pod)]
        lines += [f"pod {pod['metadata']['name']}: {'; '.join(told)}"]
        lines += [f"  {line}" for line in (*below, *meaning_lines("\n".join((*told, *below))))]
    if len(pods) > _MOST_PODS:
        lines.append(f"{len(pods) - _MOST_PODS} more pods are not ready")
    if not pods:
        makers = [live, *_replica_sets(client, live)]
        lines += [line for maker in makers for line in _warnings(client, maker)] or ["it has no pods"]
    return lines


def _replica_sets(client: KubernetesClient, live: Manifest) -> list[Manifest]:
    """Those of a Deployment, which make its pods and say why they cannot."""
    if live["kind"] != "Deployment":
        return []
    namespace, uid = live["metadata"]["namespace"], live["metadata"]["uid"]
    try:
        found = client.list_objects("apps/v1", "ReplicaSet", namespace, label_selector=selector_of(live))
    except EngineError:
        return []  # the sandbox has none
    return [one for one in found if any(o["uid"] == uid for o in one["metadata"].get("ownerReferences") or ())]


def _warnings(client: KubernetesClient, about: Manifest) -> list[str]:
    return [f"warning {line}" for line in warnings_of(client, about)]


def _log(client: KubernetesClient, pod: Manifest) -> list[str]:
    """The last lines of the first container that crashed; none where they cannot be had, or not without secrets."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    for name, state in containers(pod):
        before = "terminated" in (state.get("lastState") or {}) and "terminated" not in (state.get("state") or {})
        if not before and "terminated" not in (state.get("state") or {}):
            continue
        try:
            text = client.pod_log(key_of(pod), container=name, tail_lines=_LOG_LINES, previous=before)
            return [f"log {line}" for line in without_secrets(client, [pod], text).splitlines()]
        except EngineError:
            return []
    return []
