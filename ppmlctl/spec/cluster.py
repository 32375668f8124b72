"""`cluster:` where workloads run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ppmlctl.protection import TDX_DEVICE, DevicePlugin
from ppmlctl.spec.names import AbsolutePath, Label, ObjectName
from ppmlctl.spec.section import Section
from ppmlctl.spec.size import StorageSize


class ImagePull(Section):
    """`cluster.image_pull`"""

    policy: Literal["Always", "IfNotPresent", "Never"] = Field("IfNotPresent", description="When nodes pull images.")
    secrets: tuple[ObjectName, ...] = Field(
        (), description="Names of the secrets that nodes log in to registries with."
    )


class Nfs(Section):
    """`cluster.storage.nfs`"""

    server: str = Field(description="Host name or address of the NFS server.", min_length=1)
    path: AbsolutePath = Field(description="The exported folder.")
    size: StorageSize = Field(description="Size of the persistent volume, such as 100Gi.")


class Storage(Section):
    """`cluster.storage`"""

    claim: ObjectName = Field(
        "nfsvolumeclaim", description="The persistent volume claim that pods mount at /ppml/data."
    )
    nfs: Nfs | None = Field(
        None, description="Makes the claim and its volume from this export. Absent: the claim is there."
    )


class Sgx(Section):
    """`cluster.sgx`"""

    device_plugin: DevicePlugin = Field(
        "intel",
        description="How pods get SGX devices: intel (requests to the device plugin), host (hostPath), or none, "
        "and then nothing runs in an enclave.",
    )


class Tdx(Section):
    """`cluster.tdx`"""

    device: AbsolutePath = Field(
        TDX_DEVICE,
        description="The device by which a node that is a TDX domain is quoted: /dev/tdx-guest, /dev/tdx_guest or "
        "/dev/tdx-attest, by its kernel. Pods see it as /dev/tdx-attest.",
    )


class Cluster(Section):
    """`cluster`"""

    context: str | None = Field(None, description="Context of the kubeconfig. Default: the current one.", min_length=1)
    namespace: Label = Field("default", description="The namespace for all objects.")
    service_account: Label = Field("spark", description="Made, bound to `edit` in the namespace; pods run as it.")
    image_pull: ImagePull = Field(ImagePull(), description="How nodes get images.")
    storage: Storage | None = Field(None, description="Shared data of driver and executors.")
    sgx: Sgx = Field(Sgx(), description="SGX on the nodes.")
    tdx: Tdx = Field(Tdx(), description="Nodes that are TDX domains.")
    lease_seconds: int = Field(
        30,
        description="How long an apply that died, or was cut off, keeps others out. It renews its lease every third.",
        ge=3,
        le=3600,
    )
