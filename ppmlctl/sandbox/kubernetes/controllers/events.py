"""Events that tell what a controller did. They end with the object they are about."""

from __future__ import annotations

from ppmlctl.sandbox.kubernetes.identity import generated_name, timestamp
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import CONTROLLER, Objects


def tell(objects: Objects, about: Json, reason: str, message: str) -> None:
    """Records a normal event about an object."""
    metadata, now = about["metadata"], timestamp()
    reference = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    objects.seed(
        kind_named("events"),
        {
            "metadata": {
                "name": generated_name(f"{metadata['name']}."),
                "namespace": metadata["namespace"],
                "ownerReferences": [reference],
            },
            "involvedObject": {**reference, "namespace": metadata["namespace"]},
            "reason": reason,
            "message": message,
            "type": "Normal",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": CONTROLLER},
            "reportingComponent": CONTROLLER,
            "reportingInstance": "",
        },
    )
