"""Build contexts: which files are sent, under which digest they are known, and what else a build is told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.ignore import IGNORE_FILE, Pattern, is_ignored, read_patterns, sent_paths
from ppmlctl.files import read_text
from ppmlctl.oci import Entry, File, FileDigests, entries_digest, entries_of_folder, file_of_bytes, image_path
from ppmlctl.oci.entry import by_path

APART = ".dockerfile.apart"
"""A Dockerfile's name in a context that it is no part of."""


@dataclass(frozen=True)
class Build:
    """A build: the files it gets, the image's name, and how it is made. Arguments stay in the image's history.

    `folder` is how people know the context; one that was made up has none. `written` is how they know the Dockerfile,
    where it is sent under another name. `pull` fetches anew what the Dockerfile builds on.
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
    written: str | None = None

    def dockerfile_text(self) -> str:
        """What the Dockerfile says."""
        file = next(entry for entry in self.context if entry.path == self.dockerfile and isinstance(entry, File))
        with file.open() as stream:
            return stream.read().decode(errors="replace")


def build_context(folder: Path, dockerfile: str = "Dockerfile") -> list[Entry]:
    """The files of `folder` that the ignore file lets through, and the Dockerfile, as `sent_dockerfile` calls it.

    A Dockerfile's own ignore file, `NAME.dockerignore` beside it, counts instead of .dockerignore. Owner, times and
    modes other than executable are normalised, as in a layer: the same checkout gives the same context, whoever made
    it. Raises EngineError for a missing folder or Dockerfile, ImageError for special files.
    """
    if not (folder / dockerfile).is_file():
        raise faults.context_invalid(folder, f"has no file {dockerfile}")
    own, patterns = _ignored(folder, dockerfile)
    sent = sent_dockerfile(folder, dockerfile)
    kept = ([] if own else [IGNORE_FILE]) + ([] if sent == APART else [sent])
    entries = entries_of_folder(folder, only=sent_paths(folder, patterns, kept))
    return entries if sent != APART else _with_apart(entries, folder / dockerfile)


def sent_dockerfile(folder: Path, dockerfile: str) -> str:
    """How the Dockerfile is called in the context: by its path there, or by `APART`.

    Apart goes what lies outside of the context, and what its own ignore file keeps out of the image.
    """
    place = Path(os.path.relpath(folder / dockerfile, folder))
    if ".." in place.parts:
        return APART
    path = image_path(place.as_posix())
    own, patterns = _ignored(folder, dockerfile)
    return APART if own and is_ignored(path, patterns) else path


def _ignored(folder: Path, dockerfile: str) -> tuple[bool, list[Pattern]]:
    """Whether the Dockerfile has an ignore file of its own, and the patterns that count."""
    own = folder / f"{dockerfile}{IGNORE_FILE}"
    file = own if own.is_file() else folder / IGNORE_FILE
    try:
        return file == own, read_patterns(read_text(file, errors="replace"))
    except FileNotFoundError:
        return False, []
    except (OSError, ValueError) as error:
        raise faults.context_invalid(file, str(error)) from None


def _with_apart(entries: Sequence[Entry], dockerfile: Path) -> list[Entry]:
    """With the Dockerfile under a name that the engine takes out again, as docker does: the ignore file lists it."""
    there = next((entry for entry in entries if entry.path == IGNORE_FILE and isinstance(entry, File)), None)
    ignored = _text(there) if there else IGNORE_FILE
    try:
        text = read_text(dockerfile, errors="replace")
    except (OSError, ValueError) as error:
        raise faults.context_invalid(dockerfile, str(error)) from None
    ours = {
        APART: file_of_bytes(APART, text.encode()),
        IGNORE_FILE: file_of_bytes(IGNORE_FILE, f"{ignored}\n{APART}\n".encode()),
    }
    return sorted([*(entry for entry in entries if entry.path not in ours), *ours.values()], key=by_path)


def _text(file: File) -> str:
    with file.open() as stream:
        return stream.read().decode(errors="replace")


def generated_context(dockerfile: str, files: Iterable[File] = ()) -> list[Entry]:
    """A context that exists nowhere: the text of a Dockerfile, and files by their path in the context."""
    return [file_of_bytes("Dockerfile", dockerfile.encode()), *files]


def context_digest(context: Iterable[Entry], digests: FileDigests) -> str:
    """Names what would be sent. Reads only files that `digests` does not know, so an unchanged context costs little."""
    return entries_digest(context, digests)
