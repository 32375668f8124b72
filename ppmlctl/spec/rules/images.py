"""Rules for images."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.defaults import builder_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.images import Base
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.size import Size

_BASE: KeyPath = ("images", "base")
_CUSTOM: KeyPath = ("images", "custom")
_CATALOGUE: KeyPath = ("images", "catalogue")


def base_fits_builder(environment: Environment) -> Iterator[Finding]:
    """The engine takes no root file system, and without an engine nothing runs a Dockerfile or pulls."""
    images = environment.images
    if images is None:
        return
    found = f"builder: {builder_of(environment)}"
    if images.base is not None:
        yield from _of_base(images.base, found)
    if builder_of(environment) == "oci":
        if images.signed.push:
            title = "this builder pushes to no registry"
            fix = "say `builder: docker`, or push the layout with a tool of yours"
            yield Finding((*_CUSTOM, "push"), "push-needs-docker", title, found, fix=fix, at_key=True)
        if environment.enclave.manifest == "build":
            title, fix = "this builder runs no build", "say `builder: docker`, or remove the key"
            yield Finding(("enclave", "manifest"), "manifest-needs-docker", title, found, fix=fix)
        if images.catalogue is not None:
            title, fix = "nothing here pulls an image", "say `builder: docker` with `target: cluster`"
            why = "the images of the catalogue are in a registry, and only a Docker engine fetches them"
            yield Finding(_CATALOGUE, "catalogue-needs-docker", title, found, why, fix, at_key=True)


def _of_base(base: Base, found: str) -> Iterator[Finding]:
    if base.rootfs and found.endswith("docker"):
        title, fix = "this builder takes no root file system", "say `builder: oci`, or name a `reference`"
        yield Finding((*_BASE, "rootfs"), "rootfs-needs-oci", title, found, fix=fix, at_key=True)
    if base.build and found.endswith("oci"):
        title, fix = "this builder runs no Dockerfile", "say `builder: docker`, or name a `rootfs`"
        yield Finding((*_BASE, "build"), "build-needs-docker", title, found, fix=fix, at_key=True)
    if base.build and base.pull == "never":
        title, fix = (
            "a build cannot be kept from pulling",
            "remove the key, and pull what the Dockerfile builds on before",
        )
        why = "the engine fetches what the Dockerfile builds on where it lacks it"
        yield Finding((*_BASE, "pull"), "pull-never-needs-reference", title, "pull: never", why, fix)


def manifest_variables_are_heard(environment: Environment) -> Iterator[Finding]:
    """Size and log level have keys of their own, and a build takes all variables from the base's Makefile."""
    base = environment.images.base if environment.images else None
    if base is None or not base.manifest_variables:
        return
    for name, key in (("g_sgx_size", "enclave_size"), ("log_level", "log_level")):
        if name in base.manifest_variables:
            title, fix = "a variable of the manifest has a key of its own", f"use images.custom.{key}"
            why = "other checks of ppml.yaml go by that key"
            path = (*_BASE, "manifest_variables", name)
            yield Finding(path, "manifest-variable-has-key", title, name, why, fix, at_key=True)
    if environment.enclave.manifest == "build":
        title, why = "a build takes no variables of the manifest", "the base's own Makefile makes the manifest there"
        fix = "remove the key and set them in the Makefile, or remove `enclave.manifest: build`"
        found = ", ".join(sorted(base.manifest_variables))
        path = (*_BASE, "manifest_variables")
        yield Finding(path, "manifest-variables-in-build", title, found, why, fix, at_key=True)


def enclave_size_is_a_power_of_two(environment: Environment) -> Iterator[Finding]:
    """Gramine's signer takes other sizes, but its loader and ECREATE refuse them."""
    if environment.images is None:
        return
    size = environment.images.signed.enclave_size
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


def nodes_can_pull(environment: Environment) -> Iterator[Finding]:
    """A node that always pulls needs a registry, and nothing here sends the signed image to one."""
    images, pull = environment.images, environment.cluster.image_pull
    if images is None or environment.target != "cluster" or pull.policy != "Always" or not environment.workloads:
        return
    if images.catalogue is None and not images.signed.push:
        title, why = (
            "nodes always pull an image that is not pushed",
            "its registry has no such image, or another one than was signed",
        )
        path, fix = ("cluster", "image_pull", "policy"), "say `images.custom.push: true`, or `policy: IfNotPresent`"
        yield warning(path, "pull-without-push", title, found="Always", why=why, fix=fix)


def tags_stay(environment: Environment) -> Iterator[Finding]:
    """A tag that moves gives another image, and another MRENCLAVE, without a change of ppml.yaml."""
    if environment.images is None:
        return
    images = environment.images
    reference, tag = images.base.reference if images.base else None, images.signed.tag
    if images.catalogue is not None:
        found = f"{images.signed.name}:{tag}"
        why = "it moves, and its enclave is signed by somebody else, who can sign another"
        if not images.catalogue.is_in_the_list:
            why += "; it is not in the guide's list of images, only its section on TDX names it"
        title, fix = "a public demo image is not for production", "name a `base` and a `custom` image"
        yield warning(_CATALOGUE, "demo-image", title, found=found, why=why, fix=fix, at_key=True)
        return
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
