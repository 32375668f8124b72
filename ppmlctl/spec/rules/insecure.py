"""Choices that weaken the chain of trust: allowed, and said in every plan."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.kms import Ehsm
from ppmlctl.spec.rules.workloads import kinds_of

_EHSM: KeyPath = ("kms", "ehsm")
_WEAK_STATUSES = ("OutOfDate", "OutOfDateConfigurationNeeded", "Revoked")


def insecure_choices_are_said(environment: Environment) -> Iterator[Finding]:
    """One warning for each."""
    yield from _enclave(environment)
    if environment.kms:
        yield from _ehsm(environment.kms.ehsm, environment.target)
    if environment.attestation.enabled and not environment.attestation.require_success:
        title, fix = "a workload may run without having attested", "say `require_success: true`"
        yield warning(("attestation", "require_success"), "insecure-attestation", title, found="false", fix=fix)
    for path, kind in kinds_of(environment):
        yield from _outside(environment, path, kind)


def _outside(environment: Environment, path: KeyPath, kind: Kind) -> Iterator[Finding]:
    title, why = (
        "a workload runs outside of enclaves",
        "whoever runs the machine sees its data, and nothing is attested",
    )
    if kind.in_the_open and environment.attestation.enabled:
        key, fix = kind.in_the_open.key, f"put it into one: {kind.in_the_open.fix}"
        found = f"{key}: {getattr(kind, key)}"
        yield warning((*path, key), "insecure-no-enclave", title, found=found, why=why, fix=fix)
    elif kind.started_by_entrypoint and environment.cluster.sgx.device_plugin == "none":
        found, fix = "cluster.sgx.device_plugin: none", "say `device_plugin: intel` or `host`"
        yield warning(path, "insecure-no-enclave", title, found=found, why=why, fix=fix)


def _enclave(environment: Environment) -> Iterator[Finding]:
    enclave, images = environment.enclave, environment.images
    if images and images.signed.log_level == "all":
        path: KeyPath = ("images", "catalogue", "log") if images.catalogue else ("images", "custom", "log_level")
        title = "Gramine logs everything"
        why = "the log names every file and call of the enclave, and all who may read logs see it"
        yield warning(path, "insecure-log-level", title, found="all", why=why, fix=f"say `{path[-1]}: error`")
    if enclave.measure == "trust":
        title, why = "MRENCLAVE is taken as an image or a build says it", "nobody looks whether it is that enclave"
        fix = "say `measure: verify`"
        yield warning(("enclave", "measure"), "insecure-measure", title, found="trust", why=why, fix=fix)
    if enclave.debug == "allow":
        title, why = "debug enclaves may be signed", "the memory of a debug enclave can be read from outside"
        yield warning(("enclave", "debug"), "insecure-debug", title, found="allow", why=why, fix="say `debug: forbid`")
    for name in (name for name, meaning in enclave.findings.items() if meaning == "ignore"):
        title, fix = "a finding in the manifest is ignored", "say `warn` or `error`"
        yield warning(("enclave", "findings", name), "insecure-finding", title, found=name, fix=fix)


def _ehsm(ehsm: Ehsm, target: str) -> Iterator[Finding]:
    if ehsm.tls.insecure:
        title, why = (
            "any server may pass for the KMS",
            "the connection is not authenticated, so its attestation is not either",
        )
        path, fix = (*_EHSM, "tls", "insecure"), "name the server's `ca` or `fingerprint`"
        yield warning(path, "insecure-kms-tls", title, found="insecure: true", why=why, fix=fix)
    if ehsm.attest != "required":
        title, why = "an unattested KMS is accepted", "the account and the policy go to a server that may be no enclave"
        path, fix = (*_EHSM, "attest"), "say `attest: required`"
        yield warning(path, "insecure-kms-attest", title, found=ehsm.attest, why=why, fix=fix)
    elif target == "cluster" and not (ehsm.identity.mr_signer or ehsm.identity.mr_enclave):
        title, why = "any genuine enclave may pass for the KMS", "its quote is checked, but not whose enclave it shows"
        fix = "add `identity: {mr_signer: …}`"
        yield warning(_EHSM, "kms-identity-open", title, found="no `identity`", why=why, fix=fix, at_key=True)
    for index, status in enumerate(ehsm.accept_tcb.statuses):
        if status in _WEAK_STATUSES:
            path, title = (*_EHSM, "accept_tcb", "statuses", index), "a platform with known weaknesses is accepted"
            yield warning(path, "insecure-tcb", title, found=status, fix="update the platform, and remove the status")
    if ehsm.trust_root and target == "cluster":
        title, why = "quotes are verified by a private root", "verdicts read `private root`, not `genuine`"
        path, fix = (*_EHSM, "trust_root"), "remove the key to verify by Intel's root"
        yield warning(path, "private-root", title, found=ehsm.trust_root, why=why, fix=fix)
