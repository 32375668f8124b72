"""Pods made from the template of what owns them."""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.sandbox.kubernetes.kinds import Json


def pod_from(owner: Json, template: Json, labels: Mapping[str, str] | None = None) -> Json:
    """The pod that the owner's template describes, with more labels if given."""
    metadata, given = owner["metadata"], template.get("metadata", {})
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    kept = {key: given[key] for key in ("annotations", "finalizers") if key in given}
    made = {
        "generateName": f"{metadata['name']}-",
        "labels": {**given.get("labels", {}), **(labels or {})},
        "ownerReferences": [{**reference, "controller": True, "blockOwnerDeletion": True}],
    }
    return {"metadata": {**kept, **made}, "spec": template["spec"]}
