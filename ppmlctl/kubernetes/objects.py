"""Objects as Kubernetes writes them: plain manifests, and the key that tells one from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
"""An object as JSON. Its shape belongs to the API server, so values are not typed here."""


@dataclass(frozen=True, order=True)
class ObjectKey:
    """What tells one object of a cluster from another. `namespace` is empty for kinds that have none."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def key_of(manifest: Mapping[str, Any]) -> ObjectKey:
    """The key of a whole manifest. Raises KeyError where apiVersion, kind or metadata.name is missing."""
    metadata = manifest["metadata"]
    return ObjectKey(manifest["apiVersion"], manifest["kind"], metadata.get("namespace") or "", metadata["name"])
