"""Defaults that follow from other keys, filled in after validation."""

from __future__ import annotations

from typing import Literal

from ppmlctl.spec.attestation import BIGDL, Attestation
from ppmlctl.spec.enclave import DEFAULT_KEY, Enclave
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.images import Images
from ppmlctl.spec.keys import DEFAULT_FOLDER, Keys
from ppmlctl.spec.kms import Kms
from ppmlctl.spec.size import Size
from ppmlctl.spec.traits import Trait, filled
from ppmlctl.spec.workload import Workload

SANDBOX_ATTESTATION = "https://attestation.sandbox:9875"
SANDBOX_EHSM = "https://ehsm.sandbox:9000"
"""The sandbox's own services; the names are the sandbox's, no DNS knows them."""
ATTESTATION_PORT = 9875


def with_defaults(environment: Environment) -> Environment:
    """The environment with every default that depends on its target, name, keys or image."""
    return environment.model_copy(
        update={
            "enclave": _enclave(environment.enclave, environment.keys),
            "images": _images(environment),
            "keys": _keys(environment),
            "kms": _kms(environment),
            "attestation": _attestation(environment),
            "workloads": tuple(_workload(workload, environment) for workload in environment.workloads),
        }
    )


def builder_of(environment: Environment) -> Literal["docker", "oci"]:
    """Who builds images: where nothing is said, the engine, and in the sandbox nobody's daemon."""
    if environment.images and environment.images.builder:
        return environment.images.builder
    return "oci" if environment.target == "sandbox" else "docker"


def _enclave(enclave: Enclave, keys: Keys | None) -> Enclave:
    signer = enclave.signer
    if signer.command is not None or signer.key is not None:
        return enclave
    key = f"{keys.folder if keys else DEFAULT_FOLDER}/{DEFAULT_KEY}"
    return enclave.model_copy(update={"signer": signer.model_copy(update={"key": key})})


def _images(environment: Environment) -> Images | None:
    images = environment.images
    if images is None:
        return None
    return images.model_copy(update={"builder": builder_of(environment), "custom": images.signed})


def _keys(environment: Environment) -> Keys | None:
    """The certificate is the environment's, unless it says so, and names whoever serves by it."""
    keys, namespace = environment.keys, environment.cluster.namespace
    if keys is None:
        return None
    served = [name for one in environment.workloads for name in one.kind.host_names(one.name, namespace)]
    tls = {"common_name": keys.tls.common_name or environment.name, "names": (*keys.tls.names, *served)}
    return keys.model_copy(update={"tls": keys.tls.model_copy(update=tls)})


def _kms(environment: Environment) -> Kms | None:
    kms = environment.kms
    if kms is None or environment.target != "sandbox":
        return kms
    return kms.model_copy(update={"ehsm": kms.ehsm.model_copy(update={"url": SANDBOX_EHSM})})


def _attestation(environment: Environment) -> Attestation:
    """No service where none is asked; one that is deployed is where its Service is; the sandbox has one of its own."""
    attestation = environment.attestation
    service = attestation.service
    if not attestation.enabled or attestation.type != BIGDL:
        return attestation.model_copy(update={"service": None})
    if service is None:
        return attestation
    if environment.target == "sandbox":
        url = SANDBOX_ATTESTATION
    elif service.url or service.deploy is None:
        return attestation
    else:
        url = f"https://{service.deploy.external_ip}:{ATTESTATION_PORT}"
    return attestation.model_copy(update={"service": service.model_copy(update={"url": url})})


def _workload(workload: Workload, environment: Environment) -> Workload:
    kind = workload.kind.with_defaults(environment)
    said = {"expect_log": workload.expect_log or kind.expected_log, workload.chosen: kind}
    workload = workload.model_copy(update=said)
    return workload if environment.images is None else filled(workload, _sizes(environment.images.signed.enclave_size))


def _sizes(enclave_size: Size) -> dict[Trait, Size]:
    """Half of the enclave is the heap; the other half is left to the JVM's own memory and to Gramine."""
    return {Trait.HEAP: Size.of_bytes(enclave_size.bytes // 2, "kmg"), Trait.ENCLAVE_PAGES: enclave_size}
