"""Workloads by their commands, on the sandbox: run again on demand, logs, cancel."""

from __future__ import annotations

import shutil

import pytest
from flows.place import Place, changed

from ppmlctl.state import LockStore

pytestmark = pytest.mark.long


def test_a_named_workload_runs_again_although_nothing_changed(applied: Place) -> None:
    again = applied.run("apply", "--yes", "--rerun", "spark-pi")
    assert again.returncode == 0, again.stderr
    assert "Plan: 1 to run," in again.stdout
    assert "attempt: 2" in applied.lockfile.decode()
    assert "No changes." in applied.run("plan").stdout


def test_an_unknown_workload_is_an_error_that_lists_those_there_are(applied: Place) -> None:
    before = applied.lockfile
    for command in (("apply", "--yes", "--rerun", "spark-pie"), ("logs", "spark-pie"), ("cancel", "spark-pie")):
        refused = applied.run(*command)
        assert refused.returncode == 1
        assert refused.stderr.rstrip() == (
            "error[workload-unknown]: there is no such workload\n  is   spark-pie\n  fix  workloads: spark-pi"
        )
    assert applied.lockfile == before


def test_the_log_of_a_past_run_is_shown_and_followed_to_its_end(applied: Place) -> None:
    for options in ((), ("-f",)):
        shown = applied.run("logs", "spark-pi", *options)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "imulated" in shown.stdout


def test_a_run_without_executors_has_no_logs_of_them(applied: Place) -> None:
    refused = applied.run("logs", "spark-pi", "--executors")
    assert refused.returncode == 1
    assert "error[workload-log-gone]: the log of a run is gone" in refused.stderr


def test_a_run_that_has_ended_cannot_be_cancelled_and_that_is_no_error(applied: Place) -> None:
    done = applied.run("cancel", "spark-pi")
    assert (done.returncode, done.stdout) == (0, "spark-pi: does not run\n")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("failed", [False, True])
def test_a_run_that_was_begun_and_never_seen_to_end_goes_with_its_workload(applied: Place, *, failed: bool) -> None:
    store = LockStore.open(applied.folder / "ppml.lock")
    intent = {"submit": "gone-0123abcd-1", "namespace": "default", "digest": "0123abcd", "attempt": 1, "failed": failed}
    store.begin("workload.gone", intent)
    (applied.folder / "begun.yaml").write_text(BEGUN.format(environment=store.lockfile.environment))
    applied.kubectl("create", "-f", str(applied.folder / "begun.yaml"))
    code, planned = applied.plan()
    assert (code, changed(planned)) == (2, {"workload.gone": "delete"})
    applied.apply()
    assert applied.kubectl("get", "jobs,configmaps", "-o", "name", "-l", "ppmlctl/run=gone-0123abcd-1") == ""
    assert "gone-0123abcd-1" not in applied.lockfile.decode()
    assert "No changes." in applied.succeed("plan")


BEGUN = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: gone-0123abcd-1
  namespace: default
  labels: {{ppmlctl/environment: {environment}, ppmlctl/task: workload.gone, ppmlctl/run: gone-0123abcd-1}}
spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: submit, image: i}}]}}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: gone-0123abcd-1-submission
  namespace: default
  labels: {{ppmlctl/environment: {environment}, ppmlctl/task: workload.gone, ppmlctl/run: gone-0123abcd-1}}
"""
