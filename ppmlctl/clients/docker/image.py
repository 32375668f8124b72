"""An image as the engine tells of it, and how images are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.oci import environment_of

_DEFAULT_REGISTRIES = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/")
_DEFAULT_TAG = "latest"


@dataclass(frozen=True)
class DockerImage:
    """One image. `id` is the digest of its configuration; `repo_digests` name its manifest in registries."""

    id: str
    references: tuple[str, ...]
    repo_digests: tuple[str, ...]
    labels: Mapping[str, str]
    environment: Mapping[str, str] | None = None
    """The variables it sets; None where the engine only listed it."""
    created: str = ""
    """When it was made, as the engine writes it; for display only."""

    def is_named(self, reference: str) -> bool:
        """Whether the engine finds this image under `reference`."""
        name = familiar(reference)
        return name in (self.id, *self.references, *self.repo_digests)

    def digest_in(self, reference: str) -> str | None:
        """The digest of its manifest in the repository of `reference`; None where no registry knows it."""
        return next(iter(self.digests_in(reference)), None)

    def digests_in(self, reference: str) -> tuple[str, ...]:
        """All of them: one image has several where its layers were packed anew, or an index names its manifest."""
        repository = repository_of(familiar(reference))
        return tuple(known.split("@")[1] for known in self.repo_digests if repository_of(known) == repository)


def image_of(document: Mapping[str, Any]) -> DockerImage:
    """Reads what the engine answers to an inspection or, per image, to a listing (Engine API, `Image`)."""
    labels = document.get("Labels") or (document.get("Config") or {}).get("Labels") or {}
    return DockerImage(
        document["Id"],
        tuple(sorted(name for name in document.get("RepoTags") or () if name != "<none>:<none>")),
        tuple(sorted(name for name in document.get("RepoDigests") or () if not name.startswith("<none>"))),
        labels,
        environment_of(document) if "Config" in document else None,
        str(document.get("Created", "")),
    )


def familiar(reference: str) -> str:
    """The reference as the engine lists it: without the default registry, with the default tag.

    Source: distribution/reference, `FamiliarString` and `TagNameOnly`.
    """
    if reference.startswith("sha256:"):
        return reference
    for registry in _DEFAULT_REGISTRIES:
        if reference.startswith(registry):
            reference = reference.removeprefix(registry)
            break
    has_tag = "@" in reference or ":" in reference.rpartition("/")[2]
    return reference if has_tag else f"{reference}:{_DEFAULT_TAG}"


def repository_of(reference: str) -> str:
    """The reference without tag and digest."""
    name = reference.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"
