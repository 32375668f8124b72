"""A stateful set has pods named by number, each with claims of its own, all said to be ready."""

from __future__ import annotations

from ppmlctl.sandbox.kubernetes.controllers.deployments import hash_of
from ppmlctl.sandbox.kubernetes.controllers.templates import pod_from
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects, WriteOptions

REVISION = "controller-revision-hash"


def follow(objects: Objects, wanted: Json) -> None:
    """Makes missing claims and pods, ends those too many or of an older template, and writes the status."""
    kind, metadata, spec = kind_named("pods"), wanted["metadata"], wanted["spec"]
    revision = f"{metadata['name']}-{hash_of(spec['template'])}"
    names = [f"{metadata['name']}-{number}" for number in range(spec["replicas"])]
    there = {pod["metadata"]["name"]: pod for pod in objects.store.owned_by(metadata["uid"], kind)}
    for name, pod in list(there.items()):
        if name not in names or pod["metadata"]["labels"].get(REVISION) != revision:
            objects.erase(kind, there.pop(name))
    for name in names:
        if name not in there:
            claims = _claims(objects, wanted, name)
            objects.create(kind, metadata["namespace"], _pod(wanted, name, revision, claims), WriteOptions())
    objects.set_status(kind_named("statefulsets"), wanted, _ready(wanted, revision))


def _claims(objects: Objects, wanted: Json, pod: str) -> dict[str, str]:
    """The names of the pod's claims, by the template's; one that is there from an earlier pod is used again."""
    kind, namespace, names = kind_named("persistentvolumeclaims"), wanted["metadata"]["namespace"], {}
    for template in wanted["spec"].get("volumeClaimTemplates", []):
        volume = template["metadata"]["name"]
        names[volume] = f"{volume}-{pod}"
        if objects.store.get(kind, namespace, names[volume]) is None:
            labels = wanted["spec"]["selector"].get("matchLabels", {})
            body = {"metadata": {"name": names[volume], "labels": labels}, "spec": template["spec"]}
            objects.create(kind, namespace, body, WriteOptions())
    return names


def _pod(wanted: Json, name: str, revision: str, claims: dict[str, str]) -> Json:
    made = pod_from(
        wanted, wanted["spec"]["template"], {REVISION: revision, "statefulset.kubernetes.io/pod-name": name}
    )
    made["metadata"].pop("generateName")
    made["metadata"]["name"] = name
    kept = [volume for volume in made["spec"].get("volumes", []) if volume["name"] not in claims]
    added = [{"name": volume, "persistentVolumeClaim": {"claimName": claim}} for volume, claim in claims.items()]
    return {**made, "spec": {**made["spec"], "hostname": name, "volumes": [*kept, *added]}}


def _ready(wanted: Json, revision: str) -> Json:
    replicas, generation = wanted["spec"]["replicas"], wanted["metadata"].get("generation", 1)
    counts = dict.fromkeys(("currentReplicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    rest = {"replicas": replicas, "currentRevision": revision, "updateRevision": revision, "collisionCount": 0}
    return {"observedGeneration": generation, **(counts if replicas else {}), **rest}
