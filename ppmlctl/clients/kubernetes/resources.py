"""Where the API server keeps each kind: the path of its collection, and whether it lives in namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Resource:
    """One kind as the API server serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def collection(self, namespace: str | None) -> str:
        """The path of all objects of the kind, of one namespace or of all."""
        if namespace and self.namespaced:
            return f"{group_path(self.api_version)}/namespaces/{quote(namespace, safe='')}/{self.plural}"
        return f"{group_path(self.api_version)}/{self.plural}"

    def item(self, namespace: str | None, name: str) -> str:
        """The path of one object."""
        return f"{self.collection(namespace)}/{quote(name, safe='')}"


def group_path(api_version: str) -> str:
    """The path under which a group and version is served: /api/v1, or /apis/GROUP/VERSION."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def resources_in(api_version: str, listing: Mapping[str, Any]) -> dict[tuple[str, str], Resource]:
    """The kinds of an APIResourceList. Subresources (`pods/log`) are no kinds of their own."""
    return {
        (api_version, entry["kind"]): Resource(api_version, entry["kind"], entry["name"], bool(entry["namespaced"]))
        for entry in listing.get("resources", ())
        if "/" not in entry["name"]
    }


def listable_in(api_version: str, listing: Mapping[str, Any]) -> list[Resource]:
    """The kinds of an APIResourceList whose objects can be listed."""
    entries = (entry for entry in listing.get("resources", ()) if "/" not in entry["name"])
    verbs = {entry["kind"]: entry.get("verbs") or () for entry in entries}
    return [one for (_, kind), one in resources_in(api_version, listing).items() if "list" in verbs[kind]]


def _table(api_version: str, *, namespaced: bool, kinds: Iterable[str]) -> dict[tuple[str, str], Resource]:
    rows = (kind.split(":") for kind in kinds)
    return {(api_version, kind): Resource(api_version, kind, plural, namespaced) for kind, plural in rows}


WELL_KNOWN: Mapping[tuple[str, str], Resource] = {
    **_table(
        "v1",
        namespaced=True,
        kinds=(
            "ConfigMap:configmaps",
            "Event:events",
            "PersistentVolumeClaim:persistentvolumeclaims",
            "Pod:pods",
            "Secret:secrets",
            "Service:services",
            "ServiceAccount:serviceaccounts",
        ),
    ),
    **_table(
        "v1",
        namespaced=False,
        kinds=("Namespace:namespaces", "Node:nodes", "PersistentVolume:persistentvolumes"),
    ),
    **_table(
        "apps/v1",
        namespaced=True,
        kinds=("DaemonSet:daemonsets", "Deployment:deployments", "ReplicaSet:replicasets", "StatefulSet:statefulsets"),
    ),
    **_table("batch/v1", namespaced=True, kinds=("Job:jobs",)),
    **_table("coordination.k8s.io/v1", namespaced=True, kinds=("Lease:leases",)),
    **_table("networking.k8s.io/v1", namespaced=True, kinds=("NetworkPolicy:networkpolicies",)),
    **_table("rbac.authorization.k8s.io/v1", namespaced=True, kinds=("Role:roles", "RoleBinding:rolebindings")),
    **_table(
        "rbac.authorization.k8s.io/v1",
        namespaced=False,
        kinds=("ClusterRole:clusterroles", "ClusterRoleBinding:clusterrolebindings"),
    ),
    **_table("storage.k8s.io/v1", namespaced=False, kinds=("StorageClass:storageclasses",)),
}
"""Kinds whose place never changed, so that no discovery call is needed for them."""
