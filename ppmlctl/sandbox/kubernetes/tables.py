"""Objects as the table that `kubectl get` prints. Pure but for the time, which is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind

Cell: TypeAlias = str | int
Column: TypeAlias = tuple[str, Callable[[Json], Cell]]

_NONE = "<none>"


def _count(*fields: str) -> Callable[[Json], Cell]:
    return lambda obj: sum(len(obj.get(field) or {}) for field in fields)


def _status(path: str, default: Cell = "") -> Callable[[Json], Cell]:
    return lambda obj: obj.get("status", {}).get(path, default)


def _ready_containers(pod: Json) -> str:
    containers = pod.get("status", {}).get("containerStatuses", [])
    return f"{sum(container['ready'] for container in containers)}/{len(pod['spec']['containers'])}"


def _pod_status(pod: Json) -> str:
    state = pod.get("status", {})
    return str(state.get("reason") or state.get("phase", "Unknown"))


def _job_status(job: Json) -> str:
    done = {condition["type"] for condition in job.get("status", {}).get("conditions", [])}
    return next((name for name in ("Complete", "Failed", "Suspended") if name in done), "Running")


def _completions(job: Json) -> str:
    return f"{job.get('status', {}).get('succeeded', 0)}/{job['spec'].get('completions', 1)}"


def _ready_replicas(deployment: Json) -> str:
    return f"{deployment.get('status', {}).get('readyReplicas', 0)}/{deployment['spec'].get('replicas', 1)}"


def _ports(service: Json) -> str:
    ports = service["spec"].get("ports", [])
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or _NONE


def _claim_of(volume: Json) -> str:
    claim = volume["spec"].get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def _role(binding: Json) -> str:
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


def _selected_pods(obj: Json) -> str:
    labels = obj["spec"].get("podSelector", {}).get("matchLabels") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items())) or _NONE


COLUMNS: Mapping[str, Sequence[Column]] = {
    "Namespace": (("Status", _status("phase")),),
    "ConfigMap": (("Data", _count("data", "binaryData")),),
    "Secret": (("Type", lambda obj: str(obj.get("type", ""))), ("Data", _count("data"))),
    "Service": (
        ("Type", lambda obj: str(obj["spec"].get("type", ""))),
        ("Cluster-IP", lambda obj: str(obj["spec"].get("clusterIP", _NONE))),
        ("External-IP", lambda _: _NONE),
        ("Port(s)", _ports),
    ),
    "ServiceAccount": (("Secrets", _count("secrets")),),
    "Pod": (("Ready", _ready_containers), ("Status", _pod_status), ("Restarts", lambda _: 0)),
    "Job": (("Status", _job_status), ("Completions", _completions)),
    "Deployment": (
        ("Ready", _ready_replicas),
        ("Up-to-date", _status("updatedReplicas", 0)),
        ("Available", _status("availableReplicas", 0)),
    ),
    "StatefulSet": (("Ready", _ready_replicas),),
    "PersistentVolume": (
        ("Capacity", lambda obj: str(obj["spec"].get("capacity", {}).get("storage", ""))),
        ("Reclaim Policy", lambda obj: str(obj["spec"].get("persistentVolumeReclaimPolicy", ""))),
        ("Status", _status("phase")),
        ("Claim", _claim_of),
        ("StorageClass", lambda obj: str(obj["spec"].get("storageClassName", ""))),
    ),
    "PersistentVolumeClaim": (
        ("Status", _status("phase")),
        ("Volume", lambda obj: str(obj["spec"].get("volumeName", ""))),
        ("StorageClass", lambda obj: str(obj["spec"].get("storageClassName", ""))),
    ),
    "RoleBinding": (("Role", _role),),
    "ClusterRoleBinding": (("Role", _role),),
    "NetworkPolicy": (("Pod-Selector", _selected_pods),),
    "Lease": (("Holder", lambda obj: str(obj.get("spec", {}).get("holderIdentity", ""))),),
}


def table(kind: Kind, objects: Iterable[Json], metadata: Json, now: datetime) -> Json:
    """The objects as a meta.k8s.io/v1 Table; `metadata` is the list's."""
    columns: tuple[Column, ...] = (
        ("Name", lambda obj: str(obj["metadata"]["name"])),
        *COLUMNS.get(kind.kind, ()),
        ("Age", lambda obj: age(obj["metadata"]["creationTimestamp"], now)),
    )
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(title) for title, _ in columns],
        "rows": [{"cells": [cell(obj) for _, cell in columns], "object": _partial(obj)} for obj in objects],
    }


def _definition(title: str) -> Json:
    form = {"format": "name"} if title == "Name" else {"format": ""}
    return {"name": title, "type": "string", **form, "description": "", "priority": 0}


def _partial(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_IN_SECONDS_UP_TO = 120


def age(created: str, now: datetime) -> str:
    """The time since then in the largest unit that is not misleading: seconds up to two minutes, then whole units."""
    seconds = max(0, int((now - datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).total_seconds()))
    if seconds < _IN_SECONDS_UP_TO:
        return f"{seconds}s"
    return next(f"{seconds // length}{unit}" for length, unit in _UNITS if seconds >= length)
