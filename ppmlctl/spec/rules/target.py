"""Rules for where things run: the target, its services, and the client that submits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from ppmlctl.spec.attestation import BIGDL
from ppmlctl.spec.defaults import builder_of
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.traits import Trait, marked


def kms_is_known(environment: Environment) -> Iterator[Finding]:
    """The sandbox brings its own EHSM; for a cluster somebody must say where it is."""
    if environment.kms and environment.target == "cluster" and environment.kms.ehsm.url is None:
        title, fix = "the key management service has no address", "add `url: https://host:9000`"
        yield Finding(("kms", "ehsm"), "kms-needs-url", title, "target: cluster", fix=fix, at_key=True)


def sandbox_asks_its_own(environment: Environment) -> Iterator[Finding]:
    """A file with real addresses can be tried as it is; nothing is sent to them."""
    if environment.target != "sandbox":
        return
    attestation, kms = environment.attestation, environment.kms
    urls: dict[KeyPath, str | None] = {("kms", "ehsm", "url"): kms.ehsm.url if kms else None}
    if attestation.enabled and attestation.type == BIGDL and attestation.service:
        urls["attestation", "service", "url"] = attestation.service.url
    for path, url in urls.items():
        if url is not None:
            title, why = "this address is not asked", "the sandbox brings its own"
            yield warning(path, "sandbox-brings-its-own", title, found=url, why=why, fix="say `target: cluster`")


def client_can_submit(environment: Environment) -> Iterator[Finding]:
    """A container needs an address if any, and an engine that has the image."""
    client = environment.client
    if client.via != "container" or not environment.workloads:
        return
    if client.address is not None and not _is_reachable(client.address):
        title, why = "pods do not reach the client at this address", "in a pod it is the pod itself, or no address"
        fix = "name this machine as pods reach it: a host name or an address, without scheme and port"
        yield Finding(("client", "address"), "client-address-wrong", title, client.address, why, fix)
    if environment.target == "sandbox":
        title, fix = "the sandbox runs no containers", "say `via: job`"
        yield Finding(("client", "via"), "sandbox-without-containers", title, "target: sandbox", fix=fix)
    elif environment.images and builder_of(environment) == "oci" and not environment.images.signed.push:
        title, why = (
            "the client's engine cannot get the image",
            "`builder: oci` writes a folder that no engine looks into",
        )
        fix = "say `push: true`, `builder: docker`, or `via: job`"
        yield Finding(("client", "via"), "container-needs-image", title, "builder: oci, push: false", why, fix)


def _is_reachable(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", address) is not None and address != "localhost"
    return not (found.is_loopback or found.is_unspecified)


def enclaves_have_devices(environment: Environment) -> Iterator[Finding]:
    """`device_plugin: none` runs everything outside of enclaves; what needs one says so."""
    if environment.cluster.sgx.device_plugin != "none":
        return
    why = "`cluster.sgx.device_plugin: none` gives pods no SGX device"
    in_enclaves = any(tee == "sgx" for _, tee in marked(environment, Trait.TEE))
    if environment.attestation.enabled and in_enclaves:
        title, fix = "attestation needs SGX devices", "say `device_plugin: intel` or `host`, or `enabled: false`"
        yield Finding(("attestation", "enabled"), "attestation-needs-devices", title, "true", why, fix)
