"""`images:` the base image and the custom image made of it, with manifest and signature."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.spec.names import Boolean, FilePath, ImageReference, Platform, Repository, Tag, VariableName
from ppmlctl.spec.section import Choice, Section
from ppmlctl.spec.size import EnclaveSize, Size


class Build(Section):
    """`images.base.build`"""

    context: FilePath = Field(description="Folder of the build context.")
    dockerfile: FilePath = Field("Dockerfile", description="The Dockerfile, relative to the context.")
    args: dict[VariableName, str] = Field(
        {}, description="Build arguments. They stay in the image's history: no secrets."
    )


class Base(Choice):
    """`images.base`: one of `reference`, `build` and `rootfs`."""

    alternatives: ClassVar[tuple[str, ...]] = ("reference", "build", "rootfs")

    reference: ImageReference | None = Field(None, description="An image that a registry or the engine has.")
    build: Build | None = Field(None, description="Builds the base from a Dockerfile.")
    rootfs: FilePath | None = Field(
        None, description="A folder with a root file system, or an OCI layout (builder: oci)."
    )
    pull: Literal["missing", "always", "never"] = Field(
        "missing",
        description="When a registry is asked: for an image that the engine lacks, in every plan, or never. "
        "With `build`: always fetches anew what the Dockerfile builds on, whenever it is built.",
    )
    platform: Platform | None = Field(None, description="What the images run on. Default: the engine's own.")


class Custom(Section):
    """`images.custom`"""

    name: Repository = Field(description="Name of the custom image, with its registry, without a tag.")
    tag: Tag = Field("latest", description="Tag of the custom image.")
    enclave_size: EnclaveSize = Field(Size("8G"), description="Size of the enclave, a power of two. Part of MRENCLAVE.")
    log_level: Literal["error", "debug", "all"] = Field("error", description="Gramine's log level. Part of MRENCLAVE.")
    attestation: Literal["dcap", "none"] = Field(
        "dcap", description="Remote attestation of the enclave. Part of MRENCLAVE."
    )
    push: Boolean = Field(default=False, description="Pushes the image to its registry.")


class Images(Section):
    """`images`"""

    builder: Literal["docker", "oci"] | None = Field(
        None,
        description="docker (Docker Engine API) or oci (no daemon; writes an OCI layout). "
        "Default: docker, for target sandbox oci.",
    )
    base: Base = Field(description="What the custom image stands on.")
    custom: Custom = Field(description="The signed image that workloads run in.")
