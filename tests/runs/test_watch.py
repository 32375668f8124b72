"""When a run is given up before its deadline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from ppmlctl.runs.pods import Pods
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.runs.watch import Sight, Watch, _stage
from ppmlctl.spark import Executor, Submission

PI = Submission("pi-0-1", "pi", "ppml", "ppml/custom:1", "local:///a.jar", "spark", executor=Executor(instances=2))


def hopeless(submission: Submission, phases: list[str]) -> str | None:
    executors = [
        {
            "metadata": {"name": f"pi-0-1-exec-{number}", "labels": {"spark-role": "executor"}},
            "status": {"phase": phase},
        }
        for number, phase in enumerate(phases)
    ]
    watch = Watch(cast("Any", None), submission, cast("Any", None), 10.0)
    return watch._hopeless(Sight(Pods(submission, executors), SubmitState("running")))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_executors_that_end_one_after_another_are_not_waited_for(phase: str) -> None:
    assert hopeless(PI, [phase] * 10) == "executors end one after another, 10 so far"


def test_many_executors_may_end_with_their_driver() -> None:
    assert hopeless(replace(PI, executor=Executor(instances=12)), ["Succeeded"] * 12) is None


def test_a_driver_whose_node_does_not_answer_is_told() -> None:
    metadata = {"name": "pi-0-1-driver", "labels": {}, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    pods = Pods(PI, [{"metadata": metadata, "status": {"phase": "Running"}}])
    assert _stage(PI, Sight(pods, SubmitState("done"))) == (
        "driver running (being deleted; is its node lost?), executors 0/2"
    )
