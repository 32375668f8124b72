"""A run that its deadline ended is told as that, whatever became of its pods meanwhile."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ppmlctl.flows.spark.run import SparkProgram, run_of
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.runs.begin_script import LATE, LOG, STATUS
from ppmlctl.runs.container_submitter import ClientContainer, _state
from ppmlctl.runs.job_submitter import JobSubmitter
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.runs.watch import Sight, Watch

PI = Submission("pi-0-1", "pi", "ppml", "ppml/custom:1", "local:///a.jar", "spark", mode="local", deadline=60)
LATE_WORDS = "it did not end within its deadline of 60 s"


def job(kind: str, reason: str) -> dict[str, Any]:
    message = "Job was active longer than specified deadline"
    return {"status": {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": message}]}}


def looked_at(found: dict[str, Any]) -> SubmitState:
    """By a submitter whose pod was admitted, and is gone now."""
    client = SimpleNamespace(get=lambda _key: found)
    submitter = JobSubmitter(
        cast("Any", SimpleNamespace(engines=SimpleNamespace(kubernetes=client))), run_of(PI), SparkProgram(PI)
    )
    submitter._admitted = "pi-0-1-abcde"
    return submitter.look(Pods(run_of(PI), []))


@pytest.mark.parametrize("kind", ["Failed", "FailureTarget"])
def test_at_its_deadline_a_job_deletes_its_pods_and_is_late_all_the_same(kind: str) -> None:
    assert looked_at(job(kind, "DeadlineExceeded")).phase == "late"


def test_a_pod_that_somebody_deleted_is_told_as_that() -> None:
    told = looked_at(job("Failed", "BackoffLimitExceeded"))
    assert told == SubmitState("failed", "pod pi-0-1-abcde, which began it, was deleted")


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (f"Pi\n{LATE} of 60 s\nTerminated\n", SubmitState("late")),
        ("Pi\n", SubmitState("failed", "it ended with exit code 143")),
    ],
)
def test_a_run_of_the_container_is_late_where_its_script_ended_it(log: str, told: SubmitState, tmp_path: Path) -> None:
    run = tmp_path / PI.name
    run.mkdir()
    (run / STATUS).write_text("143\n")
    (run / LOG).write_text(log)
    ctx = cast("Any", SimpleNamespace(files=SimpleNamespace(path=Path)))
    assert _state(ctx, ClientContainer("client", str(tmp_path)), PI.name) == told


def ended(submission: Submission, pods: list[dict[str, Any]], submit: SubmitState) -> tuple[str | None, bool]:
    run = run_of(submission)
    watch = Watch(cast("Any", SimpleNamespace(simulated=None)), run, cast("Any", None), 10.0)
    return watch._ended(Sight(Pods(run, pods), submit)), watch.is_late


def test_every_mode_says_the_same() -> None:
    cluster = Submission("pi-0-1", "pi", "ppml", "ppml/custom:1", "local:///a.jar", "spark", deadline=60)
    driver = {"metadata": {"name": "pi-0-1-driver"}, "status": {"phase": "Failed", "reason": "DeadlineExceeded"}}
    assert ended(PI, [], SubmitState("late")) == (LATE_WORDS, True)
    assert ended(cluster, [driver], SubmitState("running")) == (LATE_WORDS, True)
    assert ended(cluster, [], SubmitState("late")) == (LATE_WORDS, True)
