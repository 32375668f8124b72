"""Rules for an attestation service that runs in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from ppmlctl.spec.attestation import BIGDL, ServiceDeploy
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath

_PATH: KeyPath = ("attestation", "service", "deploy")


def deployed_service_can_judge(environment: Environment) -> Iterator[Finding]:
    """It needs an address that pods reach, devices and collateral, and a place for its accounts."""
    attestation = environment.attestation
    if not attestation.enabled or attestation.type != BIGDL or not attestation.service:
        return
    deploy = attestation.service.deploy
    if deploy:
        yield from _address(deploy)
        yield from _devices(environment, deploy)
        yield from _data(deploy)
        if environment.pccs is None and environment.target == "cluster":
            title, why = "the attestation service has no PCCS", "it verifies no quote without collateral"
            fix = "add `pccs: {url: https://host:8081}`"
            yield Finding(_PATH, "attestation-service-needs-pccs", title, "no `pccs`", why, fix, at_key=True)


def _address(deploy: ServiceDeploy) -> Iterator[Finding]:
    """Kubernetes refuses these for a Service (`ValidateNonSpecialIP` of its API server)."""
    address = IPv4Address(deploy.external_ip)
    if address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast:
        title, why = "pods cannot reach this address", "it means something else on every machine"
        path, fix = (*_PATH, "external_ip"), "use an address of a node that pods and this machine reach"
        yield Finding(path, "attestation-deploy-address", title, deploy.external_ip, why, fix)


def _devices(environment: Environment, deploy: ServiceDeploy) -> Iterator[Finding]:
    if deploy.devices == "sgx" and environment.cluster.sgx.device_plugin == "none":
        title, why = "the attestation service has no devices", "`cluster.sgx.device_plugin: none` gives its pod none"
        fix = "say `devices: tdx`, or `device_plugin: intel` or `host`"
        yield Finding((*_PATH, "devices"), "attestation-service-needs-devices", title, "sgx", why, fix)


def _data(deploy: ServiceDeploy) -> Iterator[Finding]:
    if deploy.data is None:
        title, why = "the attestation service forgets", "a new pod has no accounts, and workloads fail by it"
        fix = "add `data:` with a folder of the node, and `node:`"
        yield warning(_PATH, "attestation-service-forgets", title, found="no `data`", why=why, fix=fix, at_key=True)
    elif deploy.node is None:
        title, why = "accounts stay on the node where they were made", "on another node the service knows none of them"
        yield Finding((*_PATH, "data"), "data-needs-node", title, deploy.data, why, "add `node:`")
