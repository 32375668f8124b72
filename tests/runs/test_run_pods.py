"""What the pods of a run say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ppmlctl.flows.spark.run import run_of
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.runs.pods import Pods

PI = Submission("spark-pi-0123abcd-1", "spark-pi", "ppml", "ppml/custom:1", "local:///opt/examples.jar", "spark")


def pod(name: str, phase: str = "Running", *, labels: dict[str, str] | None = None, **status: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "status": {"phase": phase, **status}}


def executor(number: int, phase: str = "Running") -> dict[str, Any]:
    return pod(f"e-{number}", phase, labels={"spark-role": "executor", "spark-exec-id": str(number)})


def test_driver_executors_and_submitters_are_told_apart() -> None:
    submitter = pod("spark-pi-0123abcd-1-abcde", labels={"job-name": PI.name})
    pods = Pods(run_of(PI), [executor(10, "Failed"), executor(9), submitter, pod("spark-pi-0123abcd-1-driver")])
    assert pods.leader
    assert [one["metadata"]["name"] for one in pods.workers] == ["e-9", "e-10"]
    assert (pods.running_workers, pods.dead_workers) == (1, 1)
    assert pods.submitters == [submitter]


def test_executors_that_succeeded_before_their_driver_did_nothing_unless_spark_ends_idle_ones() -> None:
    executors = [executor(1, "Succeeded"), executor(2, "Failed"), executor(3)]
    assert Pods(run_of(PI), executors).ended_workers == 2
    dynamic = replace(PI, conf={"spark.dynamicAllocation.enabled": "true"})
    assert Pods(run_of(dynamic), executors).ended_workers == 1
