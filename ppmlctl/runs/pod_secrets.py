"""What containers say, without the secrets that they could read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ppmlctl.kubernetes.secret_values import secret_values
from ppmlctl.secret import MASK

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_STANDS_ALONE = 12
"""Characters; shorter values are masked as whole words, since parts of others may read like them."""


def without_secrets(client: KubernetesClient, pods: Sequence[Manifest], text: str) -> str:
    """The text without any value of any secret that the pods mount or read. Raises EngineError."""
    return masking(client, pods)(text)


def masking(client: KubernetesClient, pods: Sequence[Manifest]) -> Callable[[str], str]:
    """What makes texts of these pods `without_secrets`. Raises EngineError."""
    names = {pod["metadata"].get("namespace") for pod in pods}
    found = {value for pod in pods for value in _values(client, pod)} - names
    values = sorted(found, key=len, reverse=True)
    pattern = re.compile("|".join(map(_pattern, values))) if values else None

    def mask(text: str) -> str:
        return pattern.sub(MASK, text) if pattern else text

    return mask


def _pattern(value: str) -> str:
    words = re.escape(value)
    return words if len(value) >= _STANDS_ALONE else rf"(?<!\w){words}(?!\w)"


def secret_names(pod: Manifest) -> set[str]:
    """The secrets that a pod mounts, or whose keys its containers get as variables."""
    spec = pod["spec"]
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    return {
        *(name for volume in spec.get("volumes") or () for name in _of_volume(volume)),
        *(name for container in containers for name in _of_container(container)),
    }


def _values(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    """What is secret in the secrets of a pod."""
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

    for name in secret_names(pod):
        secret = client.get(ObjectKey("v1", "Secret", pod["metadata"]["namespace"], name)) or {}
        yield from secret_values(secret)


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
