"""A job gets one pod; when that pod has ended, the job is complete with reason `Simulated`."""

from __future__ import annotations

from ppmlctl.sandbox.kubernetes.controllers.events import tell
from ppmlctl.sandbox.kubernetes.controllers.templates import pod_from
from ppmlctl.sandbox.kubernetes.identity import timestamp
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects, WriteOptions
from ppmlctl.sandbox.kubernetes.simulation import MESSAGE, condition


def follow(objects: Objects, job: Json) -> None:
    """Makes the pod of a job that has none, or ends a job whose pod has ended."""
    state = job.get("status", {})
    if state.get("conditions") or job["spec"].get("suspend"):
        return
    pods = list(objects.store.owned_by(job["metadata"]["uid"], kind_named("pods")))
    if not pods:
        wanted = pod_from(job, job["spec"]["template"])
        made = objects.create(kind_named("pods"), job["metadata"]["namespace"], wanted, WriteOptions())
        tell(objects, job, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    now = timestamp()
    started = state.get("startTime", now)
    if any(pod["status"]["phase"] == "Succeeded" for pod in pods):
        objects.set_status(kind_named("jobs"), job, _complete(started, now))
        tell(objects, job, "Completed", f"Job completed: {MESSAGE}")
    else:
        objects.set_status(kind_named("jobs"), job, {"startTime": started, "active": 1, "ready": 0})


def follow_pod(objects: Objects, pod: Json) -> None:
    """Looks again at the job that a pod belongs to."""
    for reference in pod["metadata"].get("ownerReferences", []):
        if reference["kind"] == "Job":
            job = objects.store.get(kind_named("jobs"), pod["metadata"]["namespace"], reference["name"])
            if job is not None and job["metadata"]["uid"] == reference["uid"]:
                follow(objects, job)


def try_again(objects: Objects, account: Json) -> None:
    """Looks again at the jobs that may have waited for this service account."""
    for job in list(objects.store.list(kind_named("jobs"), account["metadata"]["namespace"])):
        follow(objects, job)


def _complete(started: str, now: str) -> Json:
    conditions = [condition(kind, now, probed=True) for kind in ("SuccessCriteriaMet", "Complete")]
    return {"startTime": started, "completionTime": now, "succeeded": 1, "ready": 0, "conditions": conditions}
