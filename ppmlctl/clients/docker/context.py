"""Build contexts: which files are sent, under which digest they are known, and what else a build is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths

from ppmlctl.clients.docker import faults
from ppmlctl.oci import Entry, File, FileDigests, entries_digest, entries_of_folder, file_of_bytes, image_path
from ppmlctl.secret import MASK, Secret

_IGNORE_FILE = ".dockerignore"


@dataclass(frozen=True)
class Proxy:
    """What a build reaches the network through. A URL with user name and password is a Secret."""

    http: str | Secret | None = None
    https: str | Secret | None = None
    no_proxy: tuple[str, ...] = ()

    def build_arguments(self) -> dict[str, str]:
        """Docker's predefined proxy arguments, which stay out of the image's history and of the cache's key.

        Source: Dockerfile reference, "Predefined ARGs". Programs disagree about the case, so both are given.
        """
        given = {"http_proxy": self.http, "https_proxy": self.https, "no_proxy": ",".join(self.no_proxy)}
        plain = {name: _plain(value) for name, value in given.items() if value}
        return plain | {name.upper(): value for name, value in plain.items()}

    def masked(self, text: str) -> str:
        """`text` without the URLs that are secret and without the user info in them."""
        for url in (self.http, self.https):
            if isinstance(url, Secret):
                plain = url.reveal_text()
                user_info = plain.partition("://")[2].rpartition("@")[0]
                for hidden in filter(None, (plain, user_info, user_info.partition(":")[2])):
                    text = text.replace(hidden, MASK)
        return text


@dataclass(frozen=True)
class Build:
    """A build: the files it gets, the image's name, and how it is made. Arguments stay in the image's history."""

    reference: str
    context: Sequence[Entry] = field(repr=False)
    dockerfile: str = "Dockerfile"
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    proxy: Proxy = field(default_factory=Proxy)
    platform: str | None = None
    network: str | None = None


def build_context(folder: Path, dockerfile: str = "Dockerfile") -> list[Entry]:
    """The files of `folder` that its .dockerignore lets through, and the Dockerfile, which lies inside it.

    Owner, times and modes other than executable are normalised, as in a layer: the same checkout gives the same
    context, whoever made it. Raises EngineError for a missing folder or Dockerfile, ImageError for special files.
    """
    dockerfile = image_path(dockerfile)
    if not (folder / dockerfile).is_file():
        raise faults.context_invalid(folder, f"has no file {dockerfile}")
    sent: set[str] = exclude_paths(str(folder), _ignore_patterns(folder), dockerfile)
    return entries_of_folder(folder, only=sent)


def generated_context(dockerfile: str, files: Iterable[File] = ()) -> list[Entry]:
    """A context that exists nowhere: the text of a Dockerfile, and files by their path in the context."""
    return [file_of_bytes("Dockerfile", dockerfile.encode()), *files]


def context_digest(context: Iterable[Entry], digests: FileDigests) -> str:
    """Names what would be sent. Reads only files that `digests` does not know, so an unchanged context costs little."""
    return entries_digest(context, digests)


def _ignore_patterns(folder: Path) -> list[str]:
    try:
        text = (folder / _IGNORE_FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _plain(value: str | Secret) -> str:
    return value.reveal_text() if isinstance(value, Secret) else value
