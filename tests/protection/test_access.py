"""What the host gives to whom: the whole table of TEE, device plugin and role, and that all who make pods go by it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from ppmlctl.engine.options import Options
from ppmlctl.engine.session import Session
from ppmlctl.expressions import ExpressionError, parse
from ppmlctl.kubernetes.pod_parts import mounts, sources
from ppmlctl.protection import ROLES, DevicePlugin, Tee, access_of, container_fields, for_playbooks, host_volumes

ROOT = Path(__file__).parents[2]


def mount(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "mountPath": place}


def source(name: str, path: str, kind: str = "CharDevice") -> dict[str, Any]:
    return {"name": name, "hostPath": {"path": path, "type": kind}}


SOCKET = "/var/run/aesmd/aesm.socket"
AESM = (mount("aesm-socket", SOCKET), source("aesm-socket", SOCKET, "Socket"))
ONE_EACH = {"sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"}
PRIVILEGED = {"securityContext": {"privileged": True}}
NONE: tuple[Any, ...] = ({}, [], [])
PLUGIN: tuple[Any, ...] = ({"resources": {"requests": ONE_EACH, "limits": ONE_EACH}}, [AESM[0]], [AESM[1]])
HOST: tuple[Any, ...] = (
    PRIVILEGED,
    [AESM[0], mount("sgx-enclave", "/dev/sgx/enclave"), mount("sgx-provision", "/dev/sgx/provision")],
    [AESM[1], source("sgx-enclave", "/dev/sgx/enclave"), source("sgx-provision", "/dev/sgx/provision")],
)
DOMAIN: tuple[Any, ...] = (
    PRIVILEGED,
    [AESM[0], mount("tdx-device", "/dev/tdx-attest")],
    [AESM[1], source("tdx-device", "/dev/tdx_guest")],
)
JUDGE: tuple[Any, ...] = (
    PRIVILEGED,
    [AESM[0], mount("tdx-device", "/dev/tdx-guest")],
    [AESM[1], source("tdx-device", "/dev/tdx_guest")],
)
TABLE: dict[tuple[Tee, DevicePlugin], tuple[tuple[Any, ...], ...]] = {
    # driver, executor, submitter, client, attestation-service
    ("sgx", "intel"): (PLUGIN, PLUGIN, PLUGIN, HOST, PLUGIN),
    ("sgx", "host"): (HOST, HOST, HOST, HOST, HOST),
    ("sgx", "none"): (NONE, NONE, NONE, NONE, NONE),
    ("tdx", "intel"): (DOMAIN, DOMAIN, NONE, NONE, JUDGE),
    ("tdx", "host"): (DOMAIN, DOMAIN, NONE, NONE, JUDGE),
    ("tdx", "none"): (DOMAIN, DOMAIN, NONE, NONE, JUDGE),
}
"""Of each its container's fields, mounts and volumes. The client is no pod: Docker is given the devices themselves."""


def test_the_table_is_this_one() -> None:
    found = {
        (tee, plugin): tuple(
            (container_fields(access), mounts(volumes), sources(volumes))
            for role in ROLES
            for access in [access_of(tee, plugin, role, "/dev/tdx_guest")]
            for volumes in [host_volumes(access)]
        )
        for tee, plugin in itertools.product(get_args(Tee), get_args(DevicePlugin))
    }
    assert ROLES == ("driver", "executor", "submitter", "client", "attestation-service")
    assert found == TABLE


def test_hosts_have_the_devices_under_names_of_their_kernels() -> None:
    (enclave, provision) = access_of("sgx", "intel", "client").devices
    assert enclave.on_host == ("/dev/sgx/enclave", "/dev/sgx_enclave")
    assert provision.on_host == ("/dev/sgx/provision", "/dev/sgx_provision")


def test_pages_of_an_enclave_are_asked_of_the_plugin_alone() -> None:
    by_plugin, by_host = (access_of("sgx", plugin, "driver") for plugin in ("intel", "host"))
    asked = {"sgx.intel.com/epc": "1024", **ONE_EACH}
    assert container_fields(by_plugin, "1024") == {"resources": {"requests": asked, "limits": asked}}
    assert container_fields(by_host, "1024") == PRIVILEGED


def ppml(devices: str, plugin: str) -> str:
    policy = f"policy: {{mr_td: {'ab' * 48}}}" if devices == "tdx" else "policy: {}"
    return f"""
version: 1
name: judged
cluster: {{sgx: {{device_plugin: {plugin}}}, tdx: {{device: /dev/tdx_guest}}}}
images: {{builder: oci, base: {{rootfs: ./base}}, custom: {{name: a, tag: "1", enclave_size: 2G}}}}
pccs: {{url: "https://pccs:8081"}}
attestation:
  enabled: true
  type: BigDLRemoteAttestationService
  service:
    deploy: {{image: "example/attestation:1", external_ip: 203.0.113.7, devices: {devices}}}
    {policy}
"""


@pytest.mark.parametrize(("tee", "plugin"), [row for row in TABLE if row != ("sgx", "none")])
def test_the_attestation_service_has_its_devices(tee: Tee, plugin: DevicePlugin, tmp_path: Path) -> None:
    """By the shipped playbook, whole. Without devices ppml.yaml is refused before."""
    (tmp_path / "base").mkdir()
    (tmp_path / "ppml.yaml").write_text(ppml(tee, plugin))
    session = Session(Options(file=tmp_path / "ppml.yaml", writes_allowed=False))
    (args,) = (args for task, args in session._arguments_before_results() if task.address == "attestation-service-pod")
    pod = args.manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    fields, expected_mounts, expected_volumes = TABLE[tee, plugin][ROLES.index("attestation-service")]
    assert container["securityContext"] == {"privileged": fields == PRIVILEGED}
    assert container["resources"] == fields.get("resources", {})
    assert container["volumeMounts"] == [mount("keys", "/ppml/keys"), *expected_mounts]
    assert pod["volumes"][1:] == expected_volumes


@pytest.mark.parametrize("wrong", ["host_access('driver', 'sev')", "host_access('drivers', 'sgx')"])
def test_a_role_or_tee_that_is_none_is_refused(wrong: str) -> None:
    cluster = {"sgx": {"device_plugin": "intel"}, "tdx": {"device": "/dev/tdx"}}
    assert for_playbooks(cluster, "driver", "sgx")["resources"] == {"limits": ONE_EACH, "requests": ONE_EACH}
    with pytest.raises(ExpressionError, match="`host_access` takes "):
        parse(f"{{{{ cluster | {wrong} }}}}").evaluate({"cluster": cluster})


NAMES = re.compile(r"sgx\.intel\.com/(enclave|provision|epc)\b|/dev/sgx|privileged|aesm\.socket|/dev/tdx")
ELSEWHERE = {
    "ppmlctl/spec/cluster.py": "the description of a key",
    "ppmlctl/spec/size.py": "what reads a size",
    "ppmlctl/flows/spark/log_lines.py": "what logs say",
    "playbooks/manifests/attestation-service.yaml": "writes the word whose value it is given",
}


def test_nothing_else_names_a_device() -> None:
    """Whoever makes a pod or a container asks the table."""
    files = [*(ROOT / "ppmlctl").rglob("*.py"), *(ROOT / "playbooks").rglob("*.yaml")]
    found = {str(path.relative_to(ROOT)) for path in files if NAMES.search(path.read_text())}
    own = {name for name in found if name.startswith(("ppmlctl/protection/", "ppmlctl/explanations/"))}
    assert found - own == ELSEWHERE.keys()
