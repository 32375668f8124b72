"""The Kubernetes Job that submits a run, the ConfigMap that it works from, and the one that admits its pod. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.kubernetes.admission import ADMITTED, admission_name, files_name
from ppmlctl.kubernetes.objects import Manifest
from ppmlctl.runs.run import Run


def files_manifest(run: Run, files: Mapping[str, str]) -> Manifest:
    """The ConfigMap with the files of what submits it."""
    metadata = _metadata(run, files_name(run.name))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(files)}


def admission_manifest(run: Run, pod: str) -> Manifest:
    """The ConfigMap that lets one pod of the Job begin. To create it is the decision: made once, never changed.

    Until it is there the Job's pod waits for its mount; a pod that replaces the admitted one reads another name in it.
    """
    metadata = _metadata(run, admission_name(run.name))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ADMITTED: pod}, "immutable": True}


def job_manifest(run: Run, pod: Manifest) -> Manifest:
    """One try, no repetition by Kubernetes: whether to try again is decided by whoever looks at the outcome."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run, run.name),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": run.deadline,
            "template": {"metadata": {"labels": dict(run.labels)}, "spec": pod},
        },
    }


def _metadata(run: Run, name: str) -> Manifest:
    return {"name": name, "namespace": run.namespace, "labels": dict(run.labels)}
