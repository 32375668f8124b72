"""`images:` the base image and the custom image made of it, with manifest and signature."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ppmlctl.spec.catalogue import Catalogue
from ppmlctl.spec.names import Boolean, FilePath, ImageReference, Platform, Repository, Tag, VariableName
from ppmlctl.spec.section import Choice, Section, refusal
from ppmlctl.spec.size import EnclaveSize, Size
from ppmlctl.spec.traits import Trait


class Build(Section):
    """`images.base.build`"""

    context: FilePath = Field(description="Folder of the build context.")
    dockerfile: FilePath = Field(
        "Dockerfile",
        description="The Dockerfile, relative to the context, inside it or not; its `NAME.dockerignore` counts before "
        ".dockerignore. The engine's classic builder builds it, so one that needs BuildKit is refused: build that with "
        "docker, and name the image as `reference`.",
    )
    args: Annotated[dict[VariableName, str], Trait.BUILD_ARGUMENTS] = Field(
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
    manifest_variables: dict[VariableName, str] = Field(
        {},
        description="Variables of the base's manifest template, by their names in it: such as its Makefile does not "
        "give to gramine-manifest, or only a shell could tell, and others in place of its own. Part of MRENCLAVE.",
    )


class Custom(Section):
    """`images.custom`"""

    name: Repository = Field(description="Name of the custom image, with its registry, without a tag.")
    tag: Tag = Field("latest", description="Tag of the custom image.")
    enclave_size: EnclaveSize = Field(Size("8G"), description="Size of the enclave, a power of two. Part of MRENCLAVE.")
    log_level: Literal["error", "debug", "all"] = Field("error", description="Gramine's log level. Part of MRENCLAVE.")
    attestation: Literal["dcap", "none"] = Field(
        "dcap", description="Remote attestation of the enclave. Part of MRENCLAVE."
    )
    push: Boolean = Field(
        default=False, description="Pushes the image to its registry, once the last look at it found it good."
    )


class Images(Choice):
    """`images`: a custom image and its base, or one of the public catalogue."""

    alternatives: ClassVar[tuple[str, ...]] = ("base", "catalogue")

    builder: Literal["docker", "oci"] | None = Field(
        None,
        description="docker (Docker Engine API) or oci (no daemon; writes an OCI layout). "
        "Default: docker, for target sandbox oci.",
    )
    base: Base | None = Field(None, description="What the custom image stands on.")
    custom: Custom | None = Field(None, description="The signed image that workloads run in.")
    catalogue: Catalogue | None = Field(
        None, description="A public demo image in place of `base` and `custom`. It is signed by its publisher."
    )

    @model_validator(mode="after")
    def _custom_goes_with_base(self) -> Self:
        if self.base is not None and self.custom is None:
            why = type(self).model_fields["custom"].description or ""
            raise refusal("missing-key", "a required key is missing", found="custom", why=why, fix="add `custom:`")
        if self.catalogue is not None and self.custom is not None:
            raise PydanticCustomError("two-alternatives", "two alternatives", {"named": ["custom", "catalogue"]})
        return self

    @property
    def signed(self) -> Custom:
        """The image that workloads run in, whoever signed it."""
        if self.catalogue is None:
            return self.custom or Custom(name="none")  # validation lets no third case through
        return Custom(
            name=self.catalogue.name,
            tag=self.catalogue.tag,
            enclave_size=Size(self.catalogue.size.upper()),
            log_level=self.catalogue.log,
            attestation=self.catalogue.attestation,
        )
