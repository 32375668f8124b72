"""Variables and volumes, as a pod's manifest takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Manifest = dict[str, Any]
Volumes = dict[str, tuple[str, Manifest]]
"""Volumes by name, each with its mount path and source."""


def plain(values: Mapping[str, str]) -> list[Manifest]:
    """Variables with these values."""
    return [{"name": name, "value": unreferenced(value)} for name, value in values.items()]


def of_secret(secret: str, keys: Mapping[str, str]) -> list[Manifest]:
    """Variables whose values are keys of a Secret: by variable, the key."""
    return [{"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for name, key in keys.items()]


def unreferenced(text: str) -> str:
    """The text so that Kubernetes, which fills in `$(NAME)` and makes `$$` one `$`, gives it on as it is."""
    return text.replace("$", "$$")


def mounts(volumes: Volumes) -> list[Manifest]:
    """The container's side of the volumes."""
    return [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()]


def sources(volumes: Volumes) -> list[Manifest]:
    """The pod's side of the volumes."""
    return [{"name": name, **source} for name, (_, source) in volumes.items()]
