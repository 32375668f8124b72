"""A deployment has as many pods of its present template as it asks for, all said to be available.

No ReplicaSet stands between them: nothing in ppmlctl looks at one.
"""

from __future__ import annotations

import hashlib
import json

from ppmlctl.sandbox.kubernetes.controllers.templates import pod_from
from ppmlctl.sandbox.kubernetes.identity import timestamp
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects, WriteOptions
from ppmlctl.sandbox.kubernetes.simulation import condition

HASH = "pod-template-hash"
_HASH_LENGTH = 10


def follow(objects: Objects, deployment: Json) -> None:
    """Makes missing pods, ends those too many or of an older template, and writes the status."""
    kind, metadata, spec = kind_named("pods"), deployment["metadata"], deployment["spec"]
    template_hash = hash_of(spec["template"])
    pods = list(objects.store.owned_by(metadata["uid"], kind))
    current = [pod for pod in pods if pod["metadata"].get("labels", {}).get(HASH) == template_hash]
    for _ in range(spec["replicas"] - len(current)):
        wanted = pod_from(deployment, spec["template"], {HASH: template_hash})
        objects.create(kind, metadata["namespace"], wanted, WriteOptions())
    kept = current[: spec["replicas"]]
    for pod in pods:
        if pod not in kept:
            objects.erase(kind, pod)
    objects.set_status(kind_named("deployments"), deployment, _available(deployment))


def hash_of(template: Json) -> str:
    """A short digest by which pods of the same template are known."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:_HASH_LENGTH]


def _available(deployment: Json) -> Json:
    replicas, generation = deployment["spec"]["replicas"], deployment["metadata"].get("generation", 1)
    before = deployment.get("status", {})
    now = before["conditions"][0]["lastTransitionTime"] if before.get("conditions") else timestamp()
    conditions = [condition(kind, now) | {"lastUpdateTime": now} for kind in ("Available", "Progressing")]
    for written in conditions:
        written.pop("lastProbeTime")
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    return {"observedGeneration": generation, **(counts if replicas else {}), "conditions": conditions}
