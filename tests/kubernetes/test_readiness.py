"""When a live object is ready."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.kubernetes.readiness import is_ready


def live(kind: str, spec: dict[str, Any], status: dict[str, Any], generation: int = 1) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": generation}, "spec": spec, "status": status}


ROLLED_OUT = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
STATEFUL = {"replicas": 2, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
DAEMONS = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2}


@pytest.mark.parametrize(
    ("expected", "kind", "spec", "status"),
    [
        pytest.param(True, "Deployment", {"replicas": 2}, ROLLED_OUT, id="all replicas are new and available"),
        pytest.param(False, "Deployment", {"replicas": 2}, ROLLED_OUT | {"replicas": 3}, id="an old replica is left"),
        pytest.param(False, "Deployment", {"replicas": 2}, ROLLED_OUT | {"updatedReplicas": 1}, id="one is to be new"),
        pytest.param(False, "Deployment", {"replicas": 2}, ROLLED_OUT | {"observedGeneration": 0}, id="not looked at"),
        pytest.param(True, "Deployment", {"replicas": 0}, {"observedGeneration": 1}, id="none wanted, none there"),
        pytest.param(False, "Deployment", {"replicas": 2}, {}, id="no status yet"),
        pytest.param(True, "StatefulSet", {"replicas": 2}, STATEFUL, id="all are ready"),
        pytest.param(False, "StatefulSet", {"replicas": 2}, STATEFUL | {"updateRevision": "b"}, id="it still rolls"),
        pytest.param(True, "DaemonSet", {}, DAEMONS, id="every node has one"),
        pytest.param(False, "DaemonSet", {}, DAEMONS | {"numberReady": 1}, id="a node waits"),
        pytest.param(False, "DaemonSet", {}, {}, id="nodes are not counted yet"),
        pytest.param(True, "Job", {}, {"conditions": [{"type": "Complete", "status": "True"}]}, id="complete"),
        pytest.param(False, "Job", {}, {"conditions": [{"type": "Complete", "status": "False"}]}, id="not complete"),
        pytest.param(True, "Pod", {}, {"conditions": [{"type": "Ready", "status": "True"}]}, id="ready"),
        pytest.param(True, "Pod", {}, {"phase": "Succeeded"}, id="succeeded"),
        pytest.param(False, "Pod", {}, {"phase": "Running"}, id="runs and is not ready"),
        pytest.param(True, "PersistentVolumeClaim", {}, {"phase": "Bound"}, id="bound"),
        pytest.param(False, "PersistentVolumeClaim", {}, {"phase": "Pending"}, id="unbound"),
    ],
)
def test_it_is_ready_when_its_controller_says_so(
    *, expected: bool, kind: str, spec: dict[str, Any], status: dict[str, Any]
) -> None:
    assert is_ready(live(kind, spec, status)) is expected
