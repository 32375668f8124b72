"""Rules for attestation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ppmlctl.spec.attestation import BIGDL, ServicePolicy
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import kinds_of
from ppmlctl.spec.traits import Trait, marked

_API = re.compile(r"/?|/sgx/certification/v[34]/?")
"""The path of the PCCS's API, which may be written and is not needed."""
_WHY = "`attestation.enabled` is true"
_SERVICE: KeyPath = ("attestation", "service")
_RTMRS = 4
_UNFIT = {
    "sgx": ("an enclave's", "say `policy: {mr_td: …}` for a domain, and move workloads in enclaves elsewhere"),
    "tdx": ("a domain's", "say `tee: tdx`, or give the service a policy of enclaves"),
}


def attestation_has_what_it_needs(environment: Environment) -> Iterator[Finding]:
    """To attest, a workload needs quotes in its enclave or domain, and somebody who judges them, by a policy."""
    if not environment.attestation.enabled:
        return
    yield from _quotes(environment)
    yield from _service(environment) if environment.attestation.type == BIGDL else _kms(environment)


def _quotes(environment: Environment) -> Iterator[Finding]:
    images = environment.images
    if images is None:
        title, fix = "attestation needs an image", "add `images:`, or say `enabled: false`"
        yield Finding(("attestation", "enabled"), "attestation-needs-image", title, "no `images`", fix=fix)
    elif images.signed.attestation != "dcap" and not _is_tdx(environment):
        title, fix = "attestation needs an image with DCAP", "say `attestation: dcap`"
        path = ("images", "catalogue" if images.catalogue else "custom", "attestation")
        yield Finding(path, "attestation-needs-dcap", title, images.signed.attestation, _WHY, fix)


def _kms(environment: Environment) -> Iterator[Finding]:
    kms = environment.kms
    if environment.attestation.service is not None:
        title, why = "an attestation service is declared and not used", "`attestation.type` is EHSM's"
        fix = f"say `type: {BIGDL}`, or remove the section"
        yield Finding(_SERVICE, "attestation-service-unused", title, "`service`", why, fix, at_key=True)
    for path, tee in marked(environment, Trait.TEE):
        if tee == "tdx":
            title, why = "EHSM cannot judge a domain", "its policies hold MRENCLAVE and MRSIGNER"
            fix = f"say `attestation.type: {BIGDL}` and add `service:`"
            yield Finding(path, "tdx-needs-attestation-service", title, "tdx", why, fix)
    if kms is None:
        title, fix = "attestation needs a key management service", "add `kms:`, or say `enabled: false`"
        yield Finding(("attestation", "enabled"), "attestation-needs-kms", title, "no `kms`", fix=fix)
    elif not kms.ehsm.register_measurement:
        title, fix = "attestation needs a registered measurement", "say `register: true`"
        yield Finding(("kms", "ehsm", "register"), "attestation-needs-policy", title, "false", _WHY, fix)


def _service(environment: Environment) -> Iterator[Finding]:
    service = environment.attestation.service
    if service is None:
        title, fix = "the attestation service is not declared", "add `service: {url: https://host:9875}`"
        yield Finding(("attestation", "type"), "attestation-needs-service", title, BIGDL, fix=fix)
        return
    if service.url and service.deploy:
        title, why = "an attestation service is deployed and elsewhere", "`deploy` says where it is by `external_ip`"
        yield Finding((*_SERVICE, "url"), "attestation-service-twice", title, service.url, why, "remove `url`")
    elif not service.url and not service.deploy and environment.target == "cluster":
        title, fix = "the attestation service has no address", "add `url: https://host:9875`, or `deploy:`"
        yield Finding(_SERVICE, "attestation-needs-url", title, "target: cluster", fix=fix, at_key=True)
    yield from _policy(environment, service.policy)


def _policy(environment: Environment, policy: ServicePolicy) -> Iterator[Finding]:
    """One policy for all, so all have to be of one kind."""
    path: KeyPath = (*_SERVICE, "policy")
    if policy.rtmrs and (policy.mr_td is None or len(policy.rtmrs) != _RTMRS):
        title, why = "a policy of RTMRs is not whole", "the service compares MRTD and all four, in their order"
        found = f"{len(policy.rtmrs)} rtmrs, " + (f"mr_td: {policy.mr_td}" if policy.mr_td else "no `mr_td`")
        fix = "give `mr_td` and four `rtmrs`, or no `rtmrs`"
        yield Finding((*path, "rtmrs"), "policy-needs-rtmrs", title, found, why, fix)
    if "prod_id" in policy.model_fields_set and policy.mr_signer is None:
        title, why = "a product id stands alone", "the service compares it with MRSIGNER, and with nothing else"
        fix = "add `mr_signer:`, or remove it"
        yield Finding((*path, "prod_id"), "policy-needs-signer", title, str(policy.prod_id), why, fix)
    expected = "tdx" if policy.mr_td else "sgx"
    for place, tee in marked(environment, Trait.TEE):
        if tee != expected:
            what, fix = _UNFIT[expected]
            title, why = "a workload cannot meet the policy", f"the policy of `attestation.service` is {what}"
            yield Finding(place, "policy-of-other-tee", title, tee, why, fix)


def service_is_weighed(environment: Environment) -> Iterator[Finding]:
    """What of the service weakens the chain of trust."""
    service = environment.attestation.service
    if service is None or not environment.attestation.enabled or environment.attestation.type != BIGDL:
        return
    if service.tls.insecure:
        title, why = "any server may pass for the attestation service", "it is sent the account, and may accept all"
        path, fix = (*_SERVICE, "tls", "insecure"), "name the server's `ca` or `fingerprint`"
        yield warning(path, "insecure-attestation-tls", title, found="insecure: true", why=why, fix=fix)


def attestation_urls_can_be_split(environment: Environment) -> Iterator[Finding]:
    """The images' client takes an address apart at its colons: host and port, and nothing else."""
    attestation, kms = environment.attestation, environment.kms
    urls: dict[KeyPath, str | None] = {}
    if attestation.enabled and attestation.type == BIGDL and attestation.service:
        urls[(*_SERVICE, "url")] = attestation.service.url
    elif attestation.enabled and kms:
        urls["kms", "ehsm", "url"] = kms.ehsm.url
    for path, url in urls.items():
        parts = urlsplit(url or "https://host:1")
        if ":" in (parts.hostname or "") or parts.path.strip("/"):
            title, why = "pods cannot use this address", "the images' attestation client splits it at its colons"
            yield Finding(
                path, "attestation-address", title, str(url), why, "give a host name or an IPv4 address, and no path"
            )


def _is_tdx(environment: Environment) -> bool:
    found = [kind.protected_by for _, kind in kinds_of(environment)]
    return bool(found) and "sgx" not in found


def pccs_has_no_path(environment: Environment) -> Iterator[Finding]:
    """The images add the API's path to the PCCS's address."""
    if environment.pccs and not _API.fullmatch(urlsplit(environment.pccs.url).path):
        title, why = "the PCCS's address has a path", "ppmlctl and the images add the API's path themselves"
        fix = "write scheme, host and port alone"
        yield Finding(("pccs", "url"), "pccs-has-path", title, environment.pccs.url, why, fix)


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
