"""Rules for images."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.defaults import builder_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.size import Size

_BASE: KeyPath = ("images", "base")
_CUSTOM: KeyPath = ("images", "custom")


def base_fits_builder(environment: Environment) -> Iterator[Finding]:
    """The engine takes no root file system, and without an engine nothing runs a Dockerfile."""
    if environment.images is None:
        return
    base, builder = environment.images.base, builder_of(environment)
    if base.rootfs and builder == "docker":
        title, fix = "this builder takes no root file system", "say `builder: oci`, or name a `reference`"
        yield Finding((*_BASE, "rootfs"), "rootfs-needs-oci", title, "builder: docker", fix=fix, at_key=True)
    if base.build and builder == "oci":
        title, fix = "this builder runs no Dockerfile", "say `builder: docker`, or name a `rootfs`"
        yield Finding((*_BASE, "build"), "build-needs-docker", title, "builder: oci", fix=fix, at_key=True)
    if base.build and base.pull == "never":
        title, fix = (
            "a build cannot be kept from pulling",
            "remove the key, and pull what the Dockerfile builds on before",
        )
        why = "the engine fetches what the Dockerfile builds on where it lacks it"
        yield Finding((*_BASE, "pull"), "pull-never-needs-reference", title, "pull: never", why, fix)
    if environment.images.custom.push and builder == "oci":
        title = "this builder pushes to no registry"
        fix = "say `builder: docker`, or push the layout with a tool of yours"
        yield Finding((*_CUSTOM, "push"), "push-needs-docker", title, "builder: oci", fix=fix, at_key=True)


def enclave_size_is_a_power_of_two(environment: Environment) -> Iterator[Finding]:
    """Gramine's signer takes other sizes, but its loader and ECREATE refuse them."""
    if environment.images is None:
        return
    size = environment.images.custom.enclave_size
    if size.bytes & (size.bytes - 1) or not size.bytes:
        yield Finding(
            (*_CUSTOM, "enclave_size"),
            "enclave-size-power-of-two",
            "the enclave's size is no power of two",
            str(size),
            "the processor refuses to create such an enclave (ECREATE)",
            f"use {_power_above(size)}",
        )


def _power_above(size: Size) -> Size:
    return Size.of_bytes(1 << max(10, size.bytes.bit_length()), "KMG")


def tags_stay(environment: Environment) -> Iterator[Finding]:
    """A tag that moves gives another image, and another MRENCLAVE, without a change of ppml.yaml."""
    if environment.images is None:
        return
    reference, tag = environment.images.base.reference, environment.images.custom.tag
    if reference and "@" not in reference and _moves(_tag_of(reference)):
        yield _moving((*_BASE, "reference"), reference, "name the digest: name@sha256:…")
    if "SNAPSHOT" in tag:
        yield _moving((*_CUSTOM, "tag"), tag, "give each release a tag of its own")


def _tag_of(reference: str) -> str:
    name = reference.rsplit("/", 1)[-1]
    return name.partition(":")[2] or "latest"


def _moves(tag: str) -> bool:
    return "SNAPSHOT" in tag or tag == "latest"


def _moving(path: KeyPath, found: str, fix: str) -> Finding:
    why = "the same ppml.yaml can then give another image and another MRENCLAVE"
    return warning(path, "moving-tag", "a tag moves", found=found, why=why, fix=fix)
