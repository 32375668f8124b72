"""Descriptors, manifests and the index of an OCI image.

Source: OCI image-spec v1.1, descriptor.md, manifest.md, image-index.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.foreign_json import parse_foreign
from ppmlctl.oci.digest import canonical_json, is_digest
from ppmlctl.oci.faults import bad_layout

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

_DOCKER = {
    "application/vnd.docker.distribution.manifest.list.v2+json": INDEX,
    "application/vnd.docker.distribution.manifest.v2+json": MANIFEST,
    "application/vnd.docker.container.image.v1+json": CONFIG,
    "application/vnd.docker.image.rootfs.diff.tar": LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{LAYER}+gzip",
}
"""Docker's older names of the same formats (image-spec media-types.md, "Compatibility Matrix")."""


@dataclass(frozen=True)
class Descriptor:
    """Points at one blob by its digest. `size` in bytes."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The descriptor as the specification writes it; empty parts are left out."""
        document: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        if self.platform:
            document["platform"] = dict(self.platform)
        return document


@dataclass(frozen=True)
class Manifest:
    config: Descriptor
    layers: tuple[Descriptor, ...]

    def to_bytes(self) -> bytes:
        """The canonical text whose digest names the image."""
        return canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self.config.as_json(),
                "layers": [layer.as_json() for layer in self.layers],
            }
        )


def index_bytes(manifests: Sequence[Descriptor]) -> bytes:
    """The text of index.json."""
    return canonical_json(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest.as_json() for manifest in manifests]}
    )


def parse_manifest(content: bytes, place: str) -> Manifest:
    """Reads a manifest. Raises ImageError, naming `place`, for anything else."""
    document = parse_object(content, place)
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise bad_layout(place, "has no list of layers")
    return Manifest(_descriptor(document.get("config"), place), tuple(_descriptor(layer, place) for layer in layers))


def parse_index(content: bytes, place: str) -> tuple[Descriptor, ...]:
    """Reads the manifests of an index. Raises ImageError, naming `place`, for anything else."""
    manifests = parse_object(content, place).get("manifests")
    if not isinstance(manifests, list):
        raise bad_layout(place, "has no list of manifests")
    return tuple(_descriptor(manifest, place) for manifest in manifests)


def parse_object(content: bytes, place: str) -> dict[str, Any]:
    """Reads a JSON object. Raises ImageError, naming `place`, for anything else."""
    try:
        document = parse_foreign(content)
    except ValueError:
        raise bad_layout(place, "is not JSON") from None
    if not isinstance(document, dict):
        raise bad_layout(place, "is not a JSON object")
    return document


def _descriptor(document: object, place: str) -> Descriptor:
    if not isinstance(document, dict) or not is_digest(document.get("digest")):
        raise bad_layout(place, "holds a descriptor without a sha256 digest")
    media_type, size = document.get("mediaType"), document.get("size")
    if not isinstance(media_type, str) or not isinstance(size, int) or size < 0:
        raise bad_layout(place, "holds a descriptor without media type or size")
    return Descriptor(
        _DOCKER.get(media_type, media_type),
        document["digest"],
        size,
        _texts(document.get("annotations")),
        _texts(document.get("platform")),
    )


def _texts(document: object) -> dict[str, str]:
    members = document.items() if isinstance(document, dict) else ()
    return {name: value for name, value in members if isinstance(value, str)}
