"""Rules for attestation."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning

_WHY = "`attestation.enabled` is true"


def attestation_has_what_it_needs(environment: Environment) -> Iterator[Finding]:
    """To attest, a workload needs quotes in its enclave, a KMS that judges them, and a policy to judge by."""
    if not environment.attestation.enabled:
        return
    images, kms = environment.images, environment.kms
    if images is None:
        title, fix = "attestation needs an image", "add `images:`, or say `enabled: false`"
        yield Finding(("attestation", "enabled"), "attestation-needs-image", title, "no `images`", fix=fix)
    elif images.signed.attestation != "dcap":
        title, fix = "attestation needs an image with DCAP", "say `attestation: dcap`"
        path = ("images", "catalogue" if images.catalogue else "custom", "attestation")
        yield Finding(path, "attestation-needs-dcap", title, images.signed.attestation, _WHY, fix)
    if kms is None:
        title, fix = "attestation needs a key management service", "add `kms:`, or say `enabled: false`"
        yield Finding(("attestation", "enabled"), "attestation-needs-kms", title, "no `kms`", fix=fix)
    elif not kms.ehsm.register_measurement:
        title, fix = "attestation needs a registered measurement", "say `register: true`"
        yield Finding(("kms", "ehsm", "register"), "attestation-needs-policy", title, "false", _WHY, fix)


def quotes_can_be_verified(environment: Environment) -> Iterator[Finding]:
    """A quote says nothing without the collateral that it is verified with; the sandbox brings its own."""
    kms = environment.kms
    if kms is None or environment.target != "cluster" or environment.pccs or kms.ehsm.collateral:
        return
    if kms.ehsm.attest == "required":
        title, why = (
            "there is nothing to verify the KMS's quote with",
            "apply refuses what it cannot verify",
        )
        path, fix = ("kms", "ehsm"), "add `pccs: {url: https://host:8081}`, or `kms.ehsm.collateral`"
        yield warning(path, "kms-without-collateral", title, found="no `pccs`", why=why, fix=fix, at_key=True)
