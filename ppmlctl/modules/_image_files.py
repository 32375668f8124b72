"""Local files that go into an image, checked against what the task that made them said of them."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules.base import Known
from ppmlctl.modules.context import Files
from ppmlctl.oci import File, FileDigests, file_of_source

_TOLD = ("BIGDL_HOME", "SPARK_HOME", "SPARK_VERSION")


def _without_none(value: object) -> object:
    return {key: member for key, member in value.items() if member is not None} if isinstance(value, dict) else value


ImageFiles = Annotated[Mapping[str, Known[str]], BeforeValidator(_without_none)]
"""Paths of this machine, or digests, by paths in the image; None leaves one out."""


def told_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The image's variables that ppml.yaml may name in a workload, such as `${SPARK_HOME}`; no others are recorded."""
    return {name: environment[name] for name in _TOLD if name in environment}


def image_files(files: Files, wanted: Mapping[str, str]) -> tuple[File, ...]:
    """Files by their path in the image, read from below the environment's folder. Raises EngineError."""
    return tuple(_file(files, path, source) for path, source in sorted(wanted.items()))


def stale_files(files: Files, wanted: Mapping[str, str], told: Mapping[str, str], digests: FileDigests) -> list[str]:
    """The sources that are missing, or whose content is not what `told` says of their path in the image."""
    return [
        source for path, source in sorted(wanted.items()) if not _is_as_told(files, source, told.get(path), digests)
    ]


def refuse_stale(files: Files, wanted: Mapping[str, str], told: Mapping[str, str], digests: FileDigests) -> None:
    """Raises EngineError where a file changed between the task that made it and this one."""
    stale = stale_files(files, wanted, told, digests)
    if stale:
        raise EngineError(
            Diagnostic(
                "image-file-changed",
                "a file for the image is not what the task that made it wrote",
                found=", ".join(stale),
                why="what was measured and signed is not what would be in the image",
                fix="apply again; if it comes back, look for what else writes there",
            )
        )


def _file(files: Files, path: str, source: str) -> File:
    place = files.path(source)
    try:
        executable = bool(place.stat().st_mode & stat.S_IXUSR)
    except OSError as error:
        title = "a file for the image cannot be read"
        raise EngineError(
            Diagnostic("image-file-unreadable", title, found=f"{source}: {error.strerror}, wanted at {path}")
        ) from None
    return file_of_source(path, place, executable=executable)


def _is_as_told(files: Files, source: str, told: str | None, digests: FileDigests) -> bool:
    try:
        found = digests.of(files.path(source))
    except OSError:
        return False
    return told is None or found.removeprefix("sha256:") == told.removeprefix("sha256:")
