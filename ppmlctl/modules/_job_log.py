"""The last lines of a pod that failed, without the secrets that it could read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.secret import MASK

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

LINES = 20
SHORTEST_SECRET = 4
"""Characters; shorter values would mask ordinary words."""


def last_lines(client: KubernetesClient, pod: Manifest) -> list[str]:
    """Why the pod's containers ended, and what it said last. Without the log where it cannot be had any more."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    try:
        log = client.pod_log(key_of(pod), tail_lines=LINES)
        hidden = sorted(_secrets(client, pod), key=len, reverse=True)
    except EngineError:
        return list(_endings(pod))
    for value in hidden:
        log = log.replace(value, MASK)
    return [*_endings(pod), *log.splitlines()]


def _endings(pod: Manifest) -> Iterator[str]:
    for container in pod.get("status", {}).get("containerStatuses") or ():
        for phase in ("terminated", "waiting"):
            state = container.get("state", {}).get(phase)
            if state:
                code = f", exit code {state['exitCode']}" if "exitCode" in state else ""
                told = f"{state.get('reason', phase)}{code} {state.get('message', '')}".rstrip()
                yield f"container {container['name']}: {told}"


def _secrets(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    """Every value of every secret that the pod mounts or reads."""
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    for name in set(_secret_names(pod)):
        secret = client.get(ObjectKey("v1", "Secret", pod["metadata"]["namespace"], name)) or {}
        for encoded in (secret.get("data") or {}).values():
            text = base64.b64decode(encoded).decode("utf-8", "ignore").strip()
            if len(text) >= SHORTEST_SECRET:
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
