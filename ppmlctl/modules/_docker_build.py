"""How `docker_image` makes images: the context that is sent, and what the outcome depends on."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from ppmlctl.diagnostics import Diagnostic, InputError, Location
from ppmlctl.files import read_text
from ppmlctl.modules._image_files import ImageFiles, image_files, refuse_stale, stale_files
from ppmlctl.modules.base import Known, ModuleArgs
from ppmlctl.modules.context import Context
from ppmlctl.oci import Entry, File, canonical_digest, entries_digest


class BuildArgs(ModuleArgs):
    """A folder below ppml.yaml's, its Dockerfile, and build arguments, which stay in the image's history."""

    context: str
    dockerfile: str = "Dockerfile"
    args: Mapping[str, Known[str]] = {}


class OverlayArgs(ModuleArgs):
    """A base image, and local files over it by their path in the image; `digests` say what is in these files."""

    base: str
    files: ImageFiles
    digests: ImageFiles = Field(default_factory=dict)


def context_of_build(ctx: Context, build: BuildArgs) -> list[Entry]:
    """The files that the build is sent. Raises `docker-context-invalid`, `dockerfile-needs-buildkit`."""
    from ppmlctl.clients.docker import build_context  # noqa: PLC0415 - loads docker, which not every plan needs

    context = build_context(ctx.files.path(build.context), build.dockerfile)
    _refuse_buildkit(ctx.files.path(build.context) / build.dockerfile, build)
    return context


def _refuse_buildkit(dockerfile: Path, build: BuildArgs) -> None:
    from ppmlctl.clients.docker import first_need  # noqa: PLC0415 - loads docker, which not every plan needs

    need = first_need(read_text(dockerfile, errors="replace"), build.args)
    if need is None:
        return
    written = written_dockerfile(build)
    raise InputError(
        Diagnostic(
            "dockerfile-needs-buildkit",
            "a Dockerfile needs BuildKit",
            found=need.what,
            why="images are built here by the engine's classic builder, which does not know this",
            fix="build it with docker, and name what it made as images.base.reference instead of `build`:\n"
            + shlex.join(["docker", "build", "-t", "NAME", "-f", written, build.context]),
            at=Location(written, need.line, 1),
        )
    )


def written_dockerfile(build: BuildArgs) -> str:
    """Where the Dockerfile is, from ppml.yaml's folder."""
    return os.path.normpath(f"{build.context}/{build.dockerfile}")


def context_of_overlay(ctx: Context, overlay: OverlayArgs) -> list[Entry]:
    """A context made up for the overlay. Raises EngineError for a file that is missing or not what was told of it."""
    from ppmlctl.clients.docker import generated_context  # noqa: PLC0415 - loads docker, which not every plan needs

    refuse_stale(ctx.files, overlay.files, overlay.digests, ctx.engines.oci.digests)
    placed = image_files(ctx.files, overlay.files)
    numbered = [File(f"files/{number}", file.open, file.executable, file.source) for number, file in enumerate(placed)]
    copies = [f"COPY {json.dumps([there.path, f'/{file.path}'])}" for there, file in zip(numbered, placed, strict=True)]
    return generated_context("\n".join([f"FROM {overlay.base}", *copies, ""]), numbered)


def is_stale(ctx: Context, overlay: OverlayArgs) -> bool:
    """Whether a file of the overlay waits for another task."""
    return bool(stale_files(ctx.files, overlay.files, overlay.digests, ctx.engines.oci.digests))


def inputs_of(ctx: Context, context: Sequence[Entry], build: BuildArgs | None, platform: str | None) -> str:
    """A digest of all that the image depends on, but for images that a Dockerfile names. The proxy is none of it."""
    return canonical_digest(
        {
            "context": entries_digest(context, ctx.engines.oci.digests),
            "dockerfile": build.dockerfile if build else None,
            "arguments": dict(build.args) if build else None,
            "platform": platform,
        }
    )
