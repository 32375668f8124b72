"""The state of a whole environment in a form that two runs can be compared by."""

from __future__ import annotations

import json
import re
from typing import Any

from flows.place import Place

from ppmlctl.clients.kubernetes import KubernetesClient
from ppmlctl.effects import Effects

KINDS = {
    "v1": ("Namespace", "ConfigMap", "Secret", "Service", "ServiceAccount", "Pod"),
    "batch/v1": ("Job",),
    "apps/v1": ("Deployment",),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
}
SERVER_ASSIGNED = re.compile(r'"?\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"?')
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
"""The cluster's own, new with every cluster."""
FINGERPRINT = re.compile(r'"?\b(?:sha256:)?[0-9a-f]{64}\b"?')


def lockfile_of(place: Place) -> str:
    """The lockfile without server-assigned ids and key fingerprints: everything else must be equal."""
    text = CERTIFICATE.sub("CERTIFICATE", place.lockfile.decode())
    text = FINGERPRINT.sub("FINGERPRINT", SERVER_ASSIGNED.sub("ID", text))
    return re.sub(r'(spark-pi-|digest: )"?[0-9a-f]{8}\b"?', r"\1DIGEST", text)


def objects_of(place: Place) -> dict[str, Any]:
    """Every object's labels, fields and key names; values that hold keys or ids are left out."""
    client = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=place.sandbox / "kubeconfig")
    found: dict[str, Any] = {}
    for api_version, kinds in KINDS.items():
        for kind in kinds:
            for item in client.list_objects(api_version, kind):
                found[f"{kind}/{_steady(item['metadata']['name'])}"] = _shape(item)
    return found


def lease_holder_of(place: Place) -> str | None:
    """Who holds the environment's lease in the sandbox."""
    client = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=place.sandbox / "kubeconfig")
    (lease,) = client.list_objects("coordination.k8s.io/v1", "Lease")
    return lease["spec"].get("holderIdentity")


def enrolments(place: Place) -> int:
    """How often the server was asked for an account."""
    return sum(one.get("action") == "Enroll" for one in place.requests())


def _shape(item: dict[str, Any]) -> str:
    metadata = {"labels": item["metadata"].get("labels", {}), "namespace": item["metadata"].get("namespace")}
    rest = {name: value for name, value in item.items() if name not in {"metadata", "status", "data"}}
    return _steady(json.dumps({"metadata": metadata, "data": sorted(item.get("data") or {}), **rest}, sort_keys=True))


def _steady(text: str) -> str:
    text = FINGERPRINT.sub("FINGERPRINT", SERVER_ASSIGNED.sub("ID", text))
    text = re.sub(r"(spark-pi-)[0-9a-f]{8}(-\d+)(-[a-z0-9]{5})?\b", r"\1DIGEST\2", text)
    return re.sub(r"([a-z-]+-token-)[a-z0-9]{5}", r"\1RANDOM", text)
