"""Build contexts: which files are sent, under which digest they are known, and what else a build is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.ignore import IGNORE_FILE, read_patterns, sent_paths
from ppmlctl.files import read_text
from ppmlctl.oci import Entry, File, FileDigests, entries_digest, entries_of_folder, file_of_bytes, image_path


@dataclass(frozen=True)
class Build:
    """A build: the files it gets, the image's name, and how it is made. Arguments stay in the image's history.

    `folder` is how people know the context; one that was made up has none. `pull` fetches anew what the Dockerfile
    builds on.
    """

    reference: str
    context: Sequence[Entry] = field(repr=False)
    dockerfile: str = "Dockerfile"
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None
    network: str | None = None
    pull: bool = False
    folder: str | None = None

    def dockerfile_text(self) -> str:
        """What the Dockerfile says."""
        file = next(entry for entry in self.context if entry.path == self.dockerfile and isinstance(entry, File))
        with file.open() as stream:
            return stream.read().decode(errors="replace")


def build_context(folder: Path, dockerfile: str = "Dockerfile") -> list[Entry]:
    """The files of `folder` that its .dockerignore lets through, and the Dockerfile, which lies inside it.

    Owner, times and modes other than executable are normalised, as in a layer: the same checkout gives the same
    context, whoever made it. Raises EngineError for a missing folder or Dockerfile, ImageError for special files.
    """
    dockerfile = image_path(dockerfile)
    if not (folder / dockerfile).is_file():
        raise faults.context_invalid(folder, f"has no file {dockerfile}")
    try:
        patterns = read_patterns(read_text(folder / IGNORE_FILE, errors="replace"))
    except FileNotFoundError:
        patterns = []
    except (OSError, ValueError) as error:
        raise faults.context_invalid(folder / IGNORE_FILE, str(error)) from None
    return entries_of_folder(folder, only=sent_paths(folder, patterns, dockerfile))


def generated_context(dockerfile: str, files: Iterable[File] = ()) -> list[Entry]:
    """A context that exists nowhere: the text of a Dockerfile, and files by their path in the context."""
    return [file_of_bytes("Dockerfile", dockerfile.encode()), *files]


def context_digest(context: Iterable[Entry], digests: FileDigests) -> str:
    """Names what would be sent. Reads only files that `digests` does not know, so an unchanged context costs little."""
    return entries_digest(context, digests)
