"""Pods that are not ready, in words; from manifests as the kubelet and the scheduler write them."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.kubernetes.pods import hopeless, short_reason
from ppmlctl.runs.pod_secrets import secret_names

DEPLOYMENT = {"kind": "Deployment", "status": {}}


def pod(*containers: dict[str, Any], conditions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": containers, "conditions": conditions or []}}


def waiting(reason: str, message: str = "", **rest: Any) -> dict[str, Any]:
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}, **rest}


NO_EPC = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient sgx.intel.com/epc.",
}
CRASHED = {"terminated": {"reason": "Error", "exitCode": 3}}


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("Unschedulable: 0/1 nodes are available: 1 Insufficient sgx.intel.com/epc.", pod(conditions=[NO_EPC])),
        (
            'container main waits: ImagePullBackOff: Back-off pulling image "x"',
            pod(waiting("ImagePullBackOff", 'Back-off pulling image "x"')),
        ),
        (
            'container main waits: CreateContainerConfigError: secret "s" not found',
            pod(waiting("CreateContainerConfigError", 'secret "s" not found')),
        ),
        (
            "container main ended: OOMKilled, exit code 137",
            pod({"name": "main", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}),
        ),
        ("container main runs and is not ready", pod({"name": "main", "state": {"running": {}}, "ready": False})),
        ("", pod()),
    ],
)
def test_a_pod_says_why_it_is_not_ready(expected: str, found: dict[str, Any]) -> None:
    assert short_reason([found]) == expected


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        (None, waiting("ContainerCreating")),
        (None, waiting("ImagePullBackOff")),
        (None, waiting("CrashLoopBackOff", lastState=CRASHED, restartCount=2)),
        ("container main crashed 4 times", waiting("CrashLoopBackOff", lastState=CRASHED, restartCount=3)),
        ("container main: InvalidImageName", waiting("InvalidImageName")),
        ("container main: ErrImageNeverPull", waiting("ErrImageNeverPull")),
    ],
)
def test_waiting_ends_only_where_it_cannot_help(expected: str | None, state: dict[str, Any]) -> None:
    assert hopeless(DEPLOYMENT, [pod(state)]) == expected


def test_what_a_controller_gave_up_is_not_waited_for() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    gave_up = {"kind": "Deployment", "status": {"conditions": [condition]}}
    assert hopeless(gave_up, []) == "ProgressDeadlineExceeded: timed out"


def test_every_way_to_read_a_secret_is_known() -> None:
    spec = {
        "volumes": [{"secret": {"secretName": "a"}}, {"projected": {"sources": [{"secret": {"name": "b"}}]}}],
        "containers": [{"env": [{"name": "x", "valueFrom": {"secretKeyRef": {"name": "c", "key": "k"}}}]}],
        "initContainers": [{"envFrom": [{"secretRef": {"name": "d"}}]}],
    }
    assert secret_names({"spec": spec}) == {"a", "b", "c", "d"}
