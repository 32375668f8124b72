"""Why a pod failed or does not start, as one reads it: its state, its events, its telling lines, without secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.secret import MASK
from ppmlctl.spark import end_of, phase, telling_lines, waiting_reason

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_LINES_READ = 2000
_SHORTEST_SECRET = 4
"""Characters; shorter values would mask ordinary words."""
_MOST_EVENTS = 4


def cause_lines(client: KubernetesClient, pod: Manifest, *, log: str | None = None) -> list[str]:
    """The pod in a few lines; `log` instead of its own where that was read elsewhere."""
    told = waiting_reason(pod) if phase(pod) == "Pending" else end_of(pod)
    head = f"pod {pod['metadata']['name']}: {told or phase(pod)}"
    lines = warnings_of(client, pod) if phase(pod) == "Pending" else _log_lines(client, pod, log)
    return [head, *(f"  {line}" for line in lines)]


def warnings_of(client: KubernetesClient, pod: Manifest) -> list[str]:
    """What the cluster reports about it as a warning, the latest last, each once."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    try:
        events = client.events(key_of(pod))
    except EngineError:
        return []
    told = [f"{event.reason}: {event.message}" for event in events if event.type == "Warning"]
    return list(dict.fromkeys(told))[-_MOST_EVENTS:]


def without_secrets(client: KubernetesClient, pods: Sequence[Manifest], text: str) -> str:
    """The text without any value of any secret that the pods mount or read."""
    for value in sorted({value for pod in pods for value in _secrets(client, pod)}, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _log_lines(client: KubernetesClient, pod: Manifest, log: str | None) -> list[str]:
    """None where the log cannot be had any more, or its secrets cannot be told."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    try:
        text = client.pod_log(key_of(pod), tail_lines=_LINES_READ) if log is None else log
        return telling_lines(without_secrets(client, [pod], text))
    except EngineError:
        return []


def _secrets(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    for name in set(_secret_names(pod)):
        secret = client.get(ObjectKey("v1", "Secret", pod["metadata"]["namespace"], name)) or {}
        for encoded in (secret.get("data") or {}).values():
            text = base64.b64decode(encoded).decode("utf-8", "ignore").strip()
            if len(text) >= _SHORTEST_SECRET:
                yield text


def _secret_names(pod: Manifest) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        if "secret" in volume:
            yield volume["secret"]["secretName"]
    for container in pod["spec"]["containers"]:
        for variable in container.get("env") or ():
            source = variable.get("valueFrom", {}).get("secretKeyRef")
            if source:
                yield source["name"]
