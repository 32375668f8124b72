"""A Docker engine in memory, with a registry, for modules that make, push and pull images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from ppmlctl.clients.docker import Build, DockerImage, familiar
from ppmlctl.oci import FileDigests, entries_digest

ENV = {"SPARK_HOME": "/ppml/spark-3.1.3", "PATH": "/bin"}


class MemoryDocker:
    """Images by id. A registry has what `registry` says; a build's id is the digest of all that it is given."""

    def __init__(self) -> None:
        self.kept: dict[str, DockerImage] = {}
        self.registry: dict[str, str] = {}
        self.used: set[str] = set()
        self.calls: list[str] = []
        self.built: list[Build] = []

    def images(self, labels: Mapping[str, str] | None = None) -> list[DockerImage]:
        self.calls.append("images")
        return [image for image in self.kept.values() if (labels or {}).items() <= image.labels.items()]

    def inspect_image(self, reference: str) -> DockerImage | None:
        return next((image for image in self.kept.values() if image.is_named(reference)), None)

    def registry_digest(self, reference: str) -> str | None:
        self.calls.append("registry_digest")
        return self.registry.get(reference)

    def push(self, reference: str, tell: Callable[[str], None]) -> DockerImage:
        self.calls.append("push")
        tell("pushing")
        image = self.inspect_image(reference)
        assert image is not None
        self.registry[reference] = f"sha256:manifest-of-{image.id}"
        digest = f"{reference.rpartition(':')[0]}@{self.registry[reference]}"
        self.kept[image.id] = replace(image, repo_digests=(digest,))
        return self.kept[image.id]

    def pull(self, reference: str, *, platform: str | None, tell: Callable[[str], None]) -> DockerImage:
        self.calls.append("pull")
        tell(f"pulling {platform}")
        digest = self.registry[reference]
        return self.name(reference, DockerImage(f"sha256:id-of-{digest}", (), (f"app@{digest}",), {}, ENV))

    def build(self, build: Build, tell: Callable[[str], None]) -> DockerImage:
        self.calls.append("build")
        self.built.append(build)
        tell("building")
        given = f"{entries_digest(build.context, FileDigests())} {build.arguments} {sorted(build.labels.items())}"
        identity = f"sha256:{hashlib.sha256(given.encode()).hexdigest()}"
        return self.name(build.reference, DockerImage(identity, (), (), dict(build.labels)))

    def remove_image(self, reference: str) -> bool:
        self.calls.append("remove")
        image = self.inspect_image(reference)
        if image is not None and image.id not in self.used:
            del self.kept[image.id]
        return image is None or image.id not in self.used

    def name(self, reference: str, image: DockerImage) -> DockerImage:
        """Keeps the image under the name, which another one loses."""
        name = familiar(reference)
        for other in list(self.kept.values()):
            self.kept[other.id] = replace(other, references=tuple(n for n in other.references if n != name))
        self.kept[image.id] = replace(image, references=(name,))
        return self.kept[image.id]
