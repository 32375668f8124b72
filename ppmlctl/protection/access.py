"""What a process is given of its host so that SGX or TDX protects it: one table, by TEE, device plugin and role.

Source: Intel's SGX device plugin (`sgx.intel.com/…`), Linux (`/dev/sgx_enclave`, before 5.11 `/dev/sgx/enclave`), and
where BigDL's images look for devices and for the socket of aesmd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

Tee = Literal["sgx", "tdx"]
DevicePlugin = Literal["intel", "host", "none"]
Role = Literal["driver", "executor", "submitter", "client", "attestation-service"]
"""Pods of a workload; the pod that submits it and holds an enclave itself; the container of this machine that does so;
and BigDL's attestation service, which verifies quotes outside of enclaves."""
ROLES: tuple[Role, ...] = get_args(Role)

AESM_SOCKET = "/var/run/aesmd/aesm.socket"
TDX_DEVICE = "/dev/tdx-guest"
"""What newer kernels of domains call their device."""


@dataclass(frozen=True)
class Device:
    """A character device: `place` inside, and where hosts have it, by their kernels, likeliest first."""

    name: str
    place: str
    on_host: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """`resources`: those of Intel's plugin, one of each, which bring their devices along. `aesm`: the host's socket."""

    devices: tuple[Device, ...] = ()
    resources: tuple[str, ...] = ()
    aesm: bool = False


NOTHING = Access()
_SGX_DEVICES = tuple(
    Device(f"sgx-{name}", f"/dev/sgx/{name}", (f"/dev/sgx/{name}", f"/dev/sgx_{name}"))
    for name in ("enclave", "provision")
)
_BY_PLUGIN = Access(resources=("sgx.intel.com/enclave", "sgx.intel.com/provision"), aesm=True)
_BY_HOST = Access(devices=_SGX_DEVICES, aesm=True)
_IN_DOMAIN = Access(devices=(Device("tdx-device", "/dev/tdx-attest", ()),), aesm=True)
"""The images' quoting library looks there, whatever the node, which is the domain, calls its device."""
_BESIDE_DOMAIN = Access(devices=(Device("tdx-device", TDX_DEVICE, ()),), aesm=True)
_DOMAINS: Mapping[Role, Access] = {
    "driver": _IN_DOMAIN,
    "executor": _IN_DOMAIN,
    "attestation-service": _BESIDE_DOMAIN,
}
_TABLE: Mapping[tuple[Tee, DevicePlugin], Mapping[Role, Access]] = {
    ("sgx", "intel"): {**dict.fromkeys(ROLES, _BY_PLUGIN), "client": _BY_HOST},
    ("sgx", "host"): dict.fromkeys(ROLES, _BY_HOST),
    ("sgx", "none"): {},
    ("tdx", "intel"): _DOMAINS,
    ("tdx", "host"): _DOMAINS,
    ("tdx", "none"): _DOMAINS,
}
"""No plugin serves a container that Docker starts, and none has a domain's device. What is not here gets nothing."""


def access_of(tee: Tee, plugin: DevicePlugin, role: Role, tdx_device: str = TDX_DEVICE) -> Access:
    """The table's row. `tdx_device`: what the domain's device is called on its node."""
    access = _TABLE[tee, plugin].get(role, NOTHING)
    devices = (one if one.on_host else replace(one, on_host=(tdx_device,)) for one in access.devices)
    return replace(access, devices=tuple(devices))
