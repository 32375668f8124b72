"""Claims get a volume that fits, as in a cluster without a provisioner: where none is there they stay Pending.

Source: kubernetes, pkg/controller/volume/persistentvolume (matching by class, modes, size and claimRef).
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.quantity import amount

VOLUMES, CLAIMS = "persistentvolumes", "persistentvolumeclaims"


def follow(objects: Objects, volume: Json) -> None:
    """Says that a new volume is available, and looks at the claims that may have waited for it."""
    if volume["status"]["phase"] == "Pending":
        objects.set_status(kind_named(VOLUMES), volume, {"phase": "Available"})
    elif volume["status"]["phase"] == "Available":
        for claim in list(objects.store.list(kind_named(CLAIMS))):
            follow_claim(objects, claim)


def follow_claim(objects: Objects, claim: Json) -> None:
    """Binds a pending claim to the smallest volume that fits."""
    if claim["status"]["phase"] != "Pending":
        return
    fitting = sorted(_fitting(objects, claim), key=lambda volume: amount(volume["spec"]["capacity"]["storage"]))
    if not fitting:
        return
    volume, metadata = fitting[0], claim["metadata"]
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": metadata["name"]}
    reference |= {"namespace": metadata["namespace"], "uid": metadata["uid"]}
    bound = {**volume, "spec": {**volume["spec"], "claimRef": reference}, "status": {"phase": "Bound"}}
    objects.write(kind_named(VOLUMES), volume, bound)
    state = {"phase": "Bound", "accessModes": volume["spec"]["accessModes"], "capacity": volume["spec"]["capacity"]}
    named = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
    objects.write(kind_named(CLAIMS), claim, {**claim, "spec": named, "status": state})


def release(objects: Objects, claim: Json) -> None:
    """Says that the volume of a deleted claim is released; nobody binds it again before its claimRef is taken off."""
    volume = objects.store.get(kind_named(VOLUMES), "", claim["spec"].get("volumeName", ""))
    if volume is not None and volume["spec"].get("claimRef", {}).get("uid") == claim["metadata"]["uid"]:
        objects.set_status(kind_named(VOLUMES), volume, {"phase": "Released"})


def _fitting(objects: Objects, claim: Json) -> Iterator[Json]:
    spec, metadata = claim["spec"], claim["metadata"]
    asked, selector = spec["resources"]["requests"]["storage"], spec.get("selector", {}).get("matchLabels", {})
    for volume in objects.store.list(kind_named(VOLUMES)):
        offered, reserved = volume["spec"], volume["spec"].get("claimRef")
        if (
            volume["status"]["phase"] in ("Pending", "Available")
            and spec.get("volumeName") in (None, "", volume["metadata"]["name"])
            and offered.get("storageClassName", "") == spec.get("storageClassName", "")
            and set(spec["accessModes"]) <= set(offered["accessModes"])
            and amount(offered["capacity"]["storage"]) >= amount(asked)
            and (not reserved or (reserved.get("namespace"), reserved.get("name")) == _name_of(metadata))
            and selector.items() <= volume["metadata"].get("labels", {}).items()
        ):
            yield volume


def _name_of(metadata: Json) -> tuple[str, str]:
    return metadata["namespace"], metadata["name"]
