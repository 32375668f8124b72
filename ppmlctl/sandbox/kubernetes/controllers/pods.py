"""Stands where a kubelet would: runs nothing, and says so.

A pod that is meant to end (restartPolicy Never or OnFailure) is said to have succeeded, any other to run; both with
reason `Simulated`.
"""

from __future__ import annotations

from ppmlctl.sandbox.kubernetes.controllers import jobs
from ppmlctl.sandbox.kubernetes.identity import timestamp
from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.simulation import ADDRESS, MESSAGE, NODE, REASON, condition


def follow(objects: Objects, pod: Json) -> None:
    """Carries a pending pod to its simulated end, and tells the job it belongs to."""
    kind = kind_named("pods")
    if pod.get("status", {}).get("phase") != "Pending":
        jobs.follow_pod(objects, pod)
        return
    placed = pod if pod["spec"].get("nodeName") else {**pod, "spec": {**pod["spec"], "nodeName": NODE}}
    objects.write(kind, pod, {**placed, "status": simulated_status(placed, timestamp())})


def simulated_status(pod: Json, now: str) -> Json:
    """The status of a pod that ended, or runs, by simulation."""
    ends = pod["spec"]["restartPolicy"] != "Always"
    containers = [_container(container, now, ends=ends) for container in pod["spec"]["containers"]]
    conditions = (
        ["PodScheduled", "Initialized"] if ends else ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
    )
    return {
        "phase": "Succeeded" if ends else "Running",
        "reason": REASON,
        "message": MESSAGE,
        "startTime": now,
        "hostIP": ADDRESS,
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "qosClass": pod.get("status", {}).get("qosClass", "BestEffort"),
        "conditions": [condition(kind, now) for kind in conditions],
        "containerStatuses": containers,
    }


def _container(container: Json, now: str, *, ends: bool) -> Json:
    ended = {"exitCode": 0, "reason": REASON, "message": MESSAGE, "startedAt": now, "finishedAt": now}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": not ends,
        "started": not ends,
        "restartCount": 0,
        "lastState": {},
        "state": {"terminated": ended} if ends else {"running": {"startedAt": now}},
    }
