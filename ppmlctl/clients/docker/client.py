"""Typed operations on the images of a Docker engine. Each declares its effect; `faults` lists their errors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import IO, Any, Self

import docker
from docker.errors import APIError, ImageNotFound, NotFound

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.archive import MOST_READ, Listing, Reader
from ppmlctl.clients.docker.connection import Connection
from ppmlctl.clients.docker.containers import Containers
from ppmlctl.clients.docker.context import Build
from ppmlctl.clients.docker.credentials import Credentials, Registries
from ppmlctl.clients.docker.dockerfile import place_of
from ppmlctl.clients.docker.image import DockerImage, familiar, image_of
from ppmlctl.clients.docker.progress import Progress
from ppmlctl.clients.docker.proxy import Proxy
from ppmlctl.effects import Effect, Effects
from ppmlctl.oci import write_layer

_NO_OWNER: Mapping[str, str] = {"dev.ppmlctl.reads": "image"}
_CONFLICT = 409
_SPOOLED = 16 << 20
"""Bytes of a build context that stay in memory; larger ones go through a temporary file."""


def _silent(_line: str) -> None:
    """Nobody listens."""


class DockerClient:
    """One Docker engine, found when it is first needed."""

    def __init__(
        self,
        effects: Effects,
        *,
        host: str | None = None,
        environment: Mapping[str, str] | None = None,
        proxy: Proxy | None = None,
        credentials: Mapping[str, Credentials] = MappingProxyType({}),
    ) -> None:
        """`host` as in DOCKER_HOST; without it, DOCKER_HOST and Docker's current context decide.

        Builds get `proxy`. Registries get `credentials`, by their names; where none are given, those of Docker's
        configuration.
        """
        self._effects = effects
        self._connection = Connection(host, environment)
        self._proxy = proxy or Proxy()
        self._registries = Registries(credentials)

    def close(self) -> None:
        """Gives back what the client holds."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def unverified_host(self) -> str | None:
        """The engine that was asked, where nothing says that it is the one that is meant; None before any call."""
        return self._connection.unverified_host

    @property
    def containers(self) -> Containers:
        """The engine's containers."""
        return Containers(self._effects, self._connection)

    def inspect_image(self, reference: str) -> DockerImage | None:
        """The image that the engine has under `reference` (a name, or an id), or None."""
        operation = f"inspect image {reference}"
        with self._effects.operation(Effect.READ, operation), self._connection.request(operation) as api:
            try:
                return image_of(api.inspect_image(reference))  # type: ignore[no-untyped-call] # its stub has no types
            except (ImageNotFound, NotFound):
                return None

    def images(self, labels: Mapping[str, str] | None = None) -> list[DockerImage]:
        """All images that the engine lists, or those with all of `labels`, in one call."""
        filters = {"label": [f"{name}={value}" for name, value in labels.items()]} if labels else None
        with self._effects.operation(Effect.READ, "list images"), self._connection.request("list images") as api:
            return [image_of(document) for document in api.images(filters=filters)]

    def registry_digest(self, reference: str) -> str | None:
        """The digest that the image's registry has for it now, as the engine is told; None where it has none.

        Raises `docker-push-failed` where the registry cannot be asked; some refuse what they do not have.
        SecretLockedError where its password cannot be had.
        """
        operation = f"ask the registry for {reference}"
        with self._effects.operation(Effect.READ, "inspect distribution"), self._connection.request(operation) as api:
            login = self._registries.login_of(api, reference)
            try:
                found = api.inspect_distribution(familiar(reference), auth_config=login.auth)  # type: ignore[no-untyped-call] # its stub has no types
                return str(found["Descriptor"]["digest"])
            except NotFound:
                return None
            except APIError as error:
                reason = self._masked(error)
                raise faults.push_failed(reference, reason, given=login.given, missing=login.missing) from None

    def push(self, reference: str, tell: Callable[[str], None] = _silent) -> DockerImage:
        """Sends the image to its registry, telling what happens. Raises `docker-push-failed`."""
        operation, progress = f"push {reference}", Progress(tell, self._registries.masked)
        with self._effects.operation(Effect.WRITE, "push image"), self._connection.request(operation) as api:
            login = self._registries.login_of(api, reference)
            try:
                progress.follow(api.push(familiar(reference), stream=True, decode=True, auth_config=login.auth))
            except APIError as error:
                progress.error = self._masked(error)
        if progress.error is not None:
            raise faults.push_failed(reference, progress.error, given=login.given, missing=login.missing)
        return self._present(reference)

    def pull(
        self, reference: str, *, platform: str | None = None, tell: Callable[[str], None] = _silent
    ) -> DockerImage:
        """Fetches the image from its registry, telling what happens. Raises `docker-pull-failed`."""
        operation, progress = f"pull {reference}", Progress(tell, self._registries.masked)
        with self._effects.operation(Effect.WRITE, "pull image"), self._connection.request(operation) as api:
            login = self._registries.login_of(api, reference)
            auth, name = login.auth, familiar(reference)
            try:
                progress.follow(api.pull(name, stream=True, decode=True, platform=platform, auth_config=auth))
            except APIError as error:
                progress.error = self._masked(error)
        if progress.error is not None:
            raise faults.pull_failed(reference, progress.error, given=login.given, missing=login.missing)
        image = self.inspect_image(reference)
        if image is None:
            # An engine that is stopped may end its answer as if all was said.
            raise faults.interrupted(operation, "the engine's answer ended before the image was there")
        return image

    def build(self, build: Build, tell: Callable[[str], None] = _silent) -> DockerImage:
        """Builds and names an image, telling each line of output.

        Raises `docker-build-failed`, which shows the step, its line in the Dockerfile and what it printed last. The
        secrets of the proxy and of registries are in no line and no error.
        """
        operation, progress = f"build {build.reference}", Progress(tell, self._mask)
        with tempfile.SpooledTemporaryFile(_SPOOLED) as context:
            try:
                write_layer(build.context, context)
            except OSError as error:
                raise faults.context_invalid(build.reference, str(error)) from None
            context.seek(0)
            with self._effects.operation(Effect.WRITE, "build image"), self._connection.request(operation) as api:
                try:
                    self._registries.prepare_build(api)
                    progress.follow(_build_events(api, build, context, self._proxy.build_arguments()))
                except APIError as error:
                    progress.error = self._masked(error)
        if progress.error is not None:
            place = place_of(progress.step, progress.error, build)
            raise faults.build_failed(build.reference, progress.step, progress.error, progress.last_lines, place)
        if progress.image_id is None:
            # An engine that is stopped may end its answer as if all was said.
            raise faults.interrupted(operation, "the engine's answer ended before the image was made")
        return self._present(progress.image_id)

    def remove_image(self, reference: str) -> bool:
        """Removes the name, and with the last name the image; False where it is in use. A missing one is no error.

        In use is what a running container or another image stands on. Containers that ended, which Kubernetes keeps
        for a while after their pods, count for nothing.
        """
        operation = f"remove image {reference}"
        with self._effects.operation(Effect.WRITE, "remove image"), self._connection.request(operation) as api:
            try:
                _remove_image(api, reference)
            except (ImageNotFound, NotFound):
                return True
            except APIError as error:
                if error.status_code == _CONFLICT:
                    return False
                raise
        return True

    def read_files(
        self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str] = _NO_OWNER, most: int = MOST_READ
    ) -> dict[str, bytes]:
        """The contents of those `paths` that are files of the image, at most so many bytes of all together.

        Keys are the paths as given. Symbolic links are followed inside the image. The engine reads through a container
        only, so one is created, never started, and removed: a write, though a passing one; and it adds empty
        /etc/hosts, /etc/hostname and /etc/resolv.conf. `owner` labels the container; one with the same labels, left
        behind by a crash, goes first. Raises `docker-image-missing`, `docker-file-too-large`.
        """
        with self._reading(reference, owner) as reader:
            return reader.files(paths, most)

    def list_files(self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str] = _NO_OWNER) -> Listing:
        """The digests of those `paths` that are files of the image, and of all files in those that are folders.

        Links to files are listed with what they lead to inside the image; those to folders and to nothing are left
        out. Keys, and all else, as `read_files` and `file_digests`.
        """
        with self._reading(reference, owner) as reader:
            return reader.listing(paths)

    def file_digests(
        self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str] = _NO_OWNER
    ) -> dict[str, str]:
        """SHA-256, in hex, of those `paths` that are files of the image, links followed inside it.

        Nothing of their content is kept: libraries fill gigabytes. For the rest as `read_files`.
        """
        with self._reading(reference, owner) as reader:
            return reader.digests(paths)

    def link_ends(
        self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str] = _NO_OWNER
    ) -> dict[str, str]:
        """Of those `paths` that lead to files of the image: where they end, links followed inside it.

        For the rest as `read_files`.
        """
        with self._reading(reference, owner) as reader:
            return reader.link_ends(paths)

    @contextmanager
    def _reading(self, reference: str, owner: Mapping[str, str]) -> Iterator[Reader]:
        with self._connection.request(f"read files of {reference}") as api:
            reader = Reader(api, self._effects, reference, owner)
            reader.remove_stale()
            try:
                reader.create()
            except ImageNotFound:
                raise faults.image_missing(reference) from None
            try:
                yield reader
            finally:
                reader.remove()

    def _mask(self, text: str) -> str:
        return self._registries.masked(self._proxy.masked(text))

    def _masked(self, error: APIError) -> str:
        return self._mask(str(error.explanation))

    def _present(self, reference: str) -> DockerImage:
        image = self.inspect_image(reference)
        if image is None:
            raise faults.image_missing(reference)
        return image


def _remove_image(api: docker.APIClient, reference: str) -> None:
    try:
        api.remove_image(reference)
    except APIError as error:
        # Forced, the engine takes the name away even from an image that a container runs on: so look first.
        if error.status_code != _CONFLICT or api.containers(filters={"ancestor": reference}):
            raise
        api.remove_image(reference, force=True)


def _build_events(
    api: docker.APIClient, build: Build, context: IO[bytes], proxy_arguments: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    events: Iterator[Mapping[str, Any]] = api.build(
        fileobj=context,
        custom_context=True,
        decode=True,
        rm=True,
        forcerm=True,
        tag=familiar(build.reference),
        dockerfile=build.dockerfile,
        buildargs={**build.arguments, **proxy_arguments},
        labels=dict(build.labels),
        platform=build.platform,
        pull=build.pull,
        network_mode=build.network,
        use_config_proxy=not proxy_arguments,
    )
    return events
