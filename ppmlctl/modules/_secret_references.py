"""Keys of Kubernetes Secrets that a manifest's pods read by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppmlctl.modules.base import SecretKey


def keys_read(manifest: Mapping[str, Any]) -> Iterator[SecretKey]:
    """Every `secretKeyRef` that is not optional, wherever in the manifest it stands."""
    metadata = manifest.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    yield from _keys_read(manifest, namespace or "default")


def _keys_read(value: Any, namespace: str) -> Iterator[SecretKey]:
    if isinstance(value, Mapping):
        reference = value.get("secretKeyRef")
        if isinstance(reference, Mapping) and not reference.get("optional"):
            name, key = reference.get("name"), reference.get("key")
            if isinstance(name, str) and isinstance(key, str) and isinstance(namespace, str):
                yield SecretKey(namespace, name, key)
        for member in value.values():
            yield from _keys_read(member, namespace)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _keys_read(member, namespace)
