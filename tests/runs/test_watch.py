"""When a run is given up before its deadline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from ppmlctl.flows.spark.run import ROLES
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.run import Roles, Run
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.runs.watch import Sight, Watch, _stage

PI = Run("pi-0-1", "pi", "ppml", ROLES, 1800, leader_apart=True, workers=2)


def hopeless(run: Run, phases: list[str]) -> str | None:
    executors = [
        {
            "metadata": {"name": f"pi-0-1-exec-{number}", "labels": {"spark-role": "executor"}},
            "status": {"phase": phase},
        }
        for number, phase in enumerate(phases)
    ]
    watch = Watch(cast("Any", None), run, cast("Any", None), 10.0)
    return watch._hopeless(Sight(Pods(run, executors), SubmitState("running")))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_executors_that_end_one_after_another_are_not_waited_for(phase: str) -> None:
    assert hopeless(PI, [phase] * 10) == "executors end one after another, 10 so far"


def test_many_executors_may_end_with_their_driver() -> None:
    assert hopeless(replace(PI, workers=12), ["Succeeded"] * 12) is None


def test_a_driver_whose_node_does_not_answer_is_told() -> None:
    metadata = {"name": "pi-0-1-driver", "labels": {}, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    pods = Pods(PI, [{"metadata": metadata, "status": {"phase": "Running"}}])
    assert _stage(PI, Sight(pods, SubmitState("done"))) == (
        "driver running (being deleted; is its node lost?), executors 0/2"
    )


def test_another_kind_of_workload_is_told_in_its_own_words() -> None:
    roles = Roles(leader="jobmanager", worker="taskmanager", label="component", number="number")
    stream = Run("stream-0-1", "stream", "ppml", roles, 1800, leader_apart=True, workers=3)
    leader = {"metadata": {"name": "stream-0-1-jobmanager"}, "status": {"phase": "Running"}}
    worker = {"metadata": {"name": "t-1", "labels": {"component": "taskmanager"}}, "status": {"phase": "Running"}}
    sight = Sight(Pods(stream, [leader, worker]), SubmitState("done"))
    assert _stage(stream, sight) == "jobmanager running, taskmanagers 1/3"
    assert _stage(replace(stream, leader_apart=False, workers=None), Sight(Pods(stream, ()), SubmitState("done"))) == (
        "jobmanager ended"
    )
