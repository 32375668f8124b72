"""An Access as a pod's manifest says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, mounts, sources
from ppmlctl.protection.access import AESM_SOCKET, Access, DevicePlugin, Role, Tee, access_of


def is_privileged(access: Access) -> bool:
    """A device that no plugin hands out can be opened by privileged containers alone."""
    return bool(access.devices)


def container_fields(access: Access, epc: str | None = None) -> Manifest:
    """The container's way to its devices; `epc`: bytes of enclave page cache that it asks the plugin for as well."""
    if is_privileged(access):
        return {"securityContext": {"privileged": True}}
    asked = _requests(access, epc)
    return {"resources": {"requests": asked, "limits": dict(asked)}} if asked else {}


def _requests(access: Access, epc: str | None = None) -> dict[str, str]:
    counted = {"sgx.intel.com/epc": epc} if access.resources and epc else {}
    return {**counted, **dict.fromkeys(access.resources, "1")}


def host_volumes(access: Access) -> Volumes:
    """The host's files that are mounted. A missing one never becomes a folder on the host, since each has its type."""
    return _socket(access) | _devices(access)


def _socket(access: Access) -> Volumes:
    return {"aesm-socket": (AESM_SOCKET, _of_host(AESM_SOCKET, "Socket"))} if access.aesm else {}


def _devices(access: Access) -> Volumes:
    return {one.name: (one.place, _of_host(one.on_host[0], "CharDevice")) for one in access.devices}


def _of_host(path: str, kind: str) -> Manifest:
    return {"hostPath": {"path": path, "type": kind}}


def for_playbooks(cluster: Mapping[str, Any], role: str, tee: str) -> Manifest:
    """The same for a pod that a playbook writes, of an environment's `cluster` section.

    `socket` and `devices` are apart, each with `mounts` of the container and `volumes` of the pod.
    """
    plugin: DevicePlugin = cluster["sgx"]["device_plugin"]
    access = access_of(cast("Tee", tee), plugin, cast("Role", role), cluster["tdx"]["device"])
    asked = _requests(access)
    return {
        "privileged": is_privileged(access),
        "resources": {"limits": asked, "requests": dict(asked)} if asked else {},
        **{
            name: {"mounts": mounts(volumes), "volumes": sources(volumes)}
            for name, volumes in (("socket", _socket(access)), ("devices", _devices(access)))
        },
    }
