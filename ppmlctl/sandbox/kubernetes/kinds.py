"""The kinds that the sandbox serves. Adding one is a line in `KINDS`; its columns for kubectl stand in `tables`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of object: its names in the API and the few ways in which kinds differ."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    in_all: bool = False
    """Whether `kubectl get all` shows it."""
    has_status: bool = False
    """Status is written by controllers only: create, apply and update through the object itself leave it alone."""
    has_generation: bool = False
    field_selectors: tuple[str, ...] = ()
    """Paths that fieldSelector knows besides metadata.name and metadata.namespace."""
    immutable: tuple[str, ...] = ()
    """Paths that an update may not change once they are set."""
    orphans_dependents: bool = False
    """Delete without propagationPolicy keeps dependents (kubernetes: pkg/registry/batch/job/strategy.go)."""
    returned_on_delete: bool = False
    """Delete answers with the object itself, not with a Status."""
    versioned_updates: bool = False
    """An update must name the resourceVersion that it is based on."""
    sealed: bool = False
    """Encrypted in the database file."""

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The name that error messages use, such as `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """The kind with its group, such as `Job.batch`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def model(self) -> str:
        """The name of this kind's class in the official Python client, the source of its schema."""
        return {"events": "CoreV1Event"}.get(self.plural, f"V1{self.kind}")

    @property
    def root(self) -> str:
        """The path under which the API serves this kind's group and version."""
        return f"/apis/{self.group_version}" if self.group else f"/api/{self.version}"


VOLUME_SOURCES = ("csi", "hostPath", "local", "nfs")
"""Where a PersistentVolume's content may lie; the sandbox knows the common ones."""
RBAC = "rbac.authorization.k8s.io"

KINDS: tuple[Kind, ...] = (
    Kind("Namespace", "namespaces", namespaced=False, short_names=("ns",), has_status=True, returned_on_delete=True),
    Kind("ConfigMap", "configmaps", short_names=("cm",)),
    Kind("Secret", "secrets", field_selectors=("type",), immutable=("type",), sealed=True),
    Kind(
        "Service",
        "services",
        short_names=("svc",),
        in_all=True,
        has_status=True,
        immutable=("spec.clusterIP",),
        returned_on_delete=True,
    ),
    Kind("ServiceAccount", "serviceaccounts", short_names=("sa",), returned_on_delete=True),
    Kind(
        "Pod",
        "pods",
        short_names=("po",),
        in_all=True,
        has_status=True,
        field_selectors=("spec.nodeName", "spec.restartPolicy", "status.phase"),
        immutable=("spec.containers", "spec.volumes", "spec.restartPolicy"),
        returned_on_delete=True,
    ),
    Kind("Node", "nodes", namespaced=False, short_names=("no",), has_status=True),
    Kind(
        "Event",
        "events",
        short_names=("ev",),
        field_selectors=("involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason", "type"),
    ),
    Kind(
        "Job",
        "jobs",
        group="batch",
        in_all=True,
        has_status=True,
        has_generation=True,
        immutable=("spec.template", "spec.selector", "spec.completions"),
        orphans_dependents=True,
    ),
    Kind(
        "Deployment",
        "deployments",
        group="apps",
        short_names=("deploy",),
        in_all=True,
        has_status=True,
        has_generation=True,
        immutable=("spec.selector",),
    ),
    Kind(
        "StatefulSet",
        "statefulsets",
        group="apps",
        short_names=("sts",),
        in_all=True,
        has_status=True,
        has_generation=True,
        immutable=("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    ),
    Kind(
        "PersistentVolume",
        "persistentvolumes",
        namespaced=False,
        short_names=("pv",),
        has_status=True,
        immutable=tuple(f"spec.{source}" for source in VOLUME_SOURCES),
        returned_on_delete=True,
    ),
    Kind(
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        short_names=("pvc",),
        has_status=True,
        immutable=("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeMode", "spec.volumeName"),
        returned_on_delete=True,
    ),
    Kind("Role", "roles", group=RBAC),
    Kind("RoleBinding", "rolebindings", group=RBAC, immutable=("roleRef",)),
    Kind("ClusterRole", "clusterroles", group=RBAC, namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", group=RBAC, namespaced=False, immutable=("roleRef",)),
    Kind(
        "NetworkPolicy",
        "networkpolicies",
        group="networking.k8s.io",
        short_names=("netpol",),
        has_generation=True,
    ),
    Kind("Lease", "leases", group="coordination.k8s.io", versioned_updates=True),
)


@cache
def kind_named(plural: str) -> Kind:
    """The kind with this plural name; plurals are unique here."""
    return next(kind for kind in KINDS if kind.plural == plural)


@cache
def kind_of(group_version: str, kind: str) -> Kind | None:
    """The kind that an ownerReference or a manifest names, or None where the sandbox does not serve it."""
    return next((known for known in KINDS if known.group_version == group_version and known.kind == kind), None)
