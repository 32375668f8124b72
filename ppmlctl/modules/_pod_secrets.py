"""What containers say, without the secrets that they could read."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ppmlctl.secret import MASK

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_SHORTEST_SECRET = 4
"""Characters; shorter values would mask ordinary words."""


def without_secrets(client: KubernetesClient, pods: Sequence[Manifest], text: str) -> str:
    """The text without any value of any secret that the pods mount or read. Raises EngineError."""
    return masking(client, pods)(text)


def masking(client: KubernetesClient, pods: Sequence[Manifest]) -> Callable[[str], str]:
    """What makes texts of these pods `without_secrets`. Raises EngineError."""
    found = {value for pod in pods for value in _values(client, pod)}
    values = sorted(found, key=len, reverse=True)

    def mask(text: str) -> str:
        for value in values:
            text = text.replace(value, MASK)
        return text

    return mask


def secret_names(pod: Manifest) -> set[str]:
    """The secrets that a pod mounts, or whose keys its containers get as variables."""
    spec = pod["spec"]
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    return {
        *(name for volume in spec.get("volumes") or () for name in _of_volume(volume)),
        *(name for container in containers for name in _of_container(container)),
    }


def _values(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    """Whole values, and the lines of those that have several: a log is masked line by line too."""
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    for name in secret_names(pod):
        secret = client.get(ObjectKey("v1", "Secret", pod["metadata"]["namespace"], name)) or {}
        for encoded in (secret.get("data") or {}).values():
            text = base64.b64decode(encoded).decode("utf-8", "ignore").strip()
            yield from (part for part in {text, *text.splitlines()} if len(part) >= _SHORTEST_SECRET)


def _of_volume(volume: dict[str, Any]) -> Iterator[str]:
    if "secret" in volume:
        yield volume["secret"].get("secretName", "")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "secret" in source:
            yield source["secret"].get("name", "")


def _of_container(container: dict[str, Any]) -> Iterator[str]:
    for variable in container.get("env") or ():
        source = (variable.get("valueFrom") or {}).get("secretKeyRef")
        if source:
            yield source["name"]
    for source in container.get("envFrom") or ():
        if "secretRef" in source:
            yield source["secretRef"]["name"]
