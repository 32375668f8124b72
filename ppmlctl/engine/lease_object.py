"""The lease as the cluster keeps it: a Lease of coordination.k8s.io/v1 whose annotations say what its fields cannot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ppmlctl.process_identity import ProcessIdentity
from ppmlctl.state.lease import Holder, Lease, Revision

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest

API_VERSION = "coordination.k8s.io/v1"
ENVIRONMENT = "ppmlctl/environment"
SERIAL = "ppmlctl/serial"
DIGEST = "ppmlctl/lockfile-sha256"
PROCESS = "ppmlctl/process"
DEFAULT_SECONDS = 30
"""For a lease that says nothing of its duration."""


def manifest_of(lease: Lease, namespace: str, name: str) -> Manifest:
    """What is sent. `metadata.resourceVersion` is there for a lease that was read."""
    annotations = {
        ENVIRONMENT: lease.revision.environment,
        SERIAL: str(lease.revision.serial),
        DIGEST: lease.revision.digest,
    }
    spec: Manifest = {"leaseTransitions": lease.transitions, "leaseDurationSeconds": int(lease.duration)}
    if lease.holder is not None:
        spec["holderIdentity"] = _identity(lease.holder)
        if lease.holder.process is not None:
            annotations[PROCESS] = str(lease.holder.process)
    for field, time in (("acquireTime", lease.acquired), ("renewTime", lease.renewed)):
        if time is not None:
            spec[field] = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    metadata: Manifest = {"name": name, "namespace": namespace, "annotations": annotations}
    if lease.version is not None:
        metadata["resourceVersion"] = lease.version
    return {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": spec}


def lease_in(manifest: Manifest) -> Lease:
    """What was read; whatever a stranger's hand left out is taken as not said."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    serial = annotations.get(SERIAL, "")
    revision = Revision(
        annotations.get(ENVIRONMENT, ""), int(serial) if serial.isdecimal() else 0, annotations.get(DIGEST, "")
    )
    identity = spec.get("holderIdentity") or ""
    return Lease(
        revision,
        float(spec.get("leaseDurationSeconds") or DEFAULT_SECONDS),
        _holder(identity, ProcessIdentity.parse(annotations.get(PROCESS, ""))) if identity else None,
        _time(spec.get("acquireTime")),
        _time(spec.get("renewTime")),
        int(spec.get("leaseTransitions") or 0),
        metadata["resourceVersion"],
    )


def _identity(holder: Holder) -> str:
    return f"{holder.user}@{holder.host}/{holder.pid}/{holder.token}"


def _holder(identity: str, process: ProcessIdentity | None) -> Holder:
    place, _, rest = identity.partition("/")
    user, _, host = place.rpartition("@")
    pid, _, token = rest.partition("/")
    return Holder(user or "somebody", host, int(pid) if pid.isdecimal() else 0, token, process)


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except ValueError:
        return None
