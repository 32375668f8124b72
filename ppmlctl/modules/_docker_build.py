"""How `docker_image` makes images: the context that is sent, and what the outcome depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import Field

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
    """The files that the build is sent. Raises `docker-context-invalid`."""
    from ppmlctl.clients.docker import build_context  # noqa: PLC0415 - loads docker, which not every plan needs

    return build_context(ctx.files.path(build.context), build.dockerfile)


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
