"""Which run of a workload is the last one, and which run again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.engine.workload_runs import WorkloadRun, abandoned_runs, last_run, with_reruns
from ppmlctl.planning import Recorded

RECORDED = {"workload.pi": Recorded("spark_submit", {}, {"name": "pi-1", "namespace": "ppml"})}
INTENT = {"submit": "pi-2", "namespace": "ppml", "digest": "d", "attempt": 2}


def test_a_run_that_was_begun_comes_before_the_recorded_one() -> None:
    begun = WorkloadRun("pi", "pi-2", "ppml", "spark_submit", pending=True)
    assert last_run("pi", ["pi"], RECORDED, {}) == WorkloadRun("pi", "pi-1", "ppml", "spark_submit", pending=False)
    assert last_run("pi", ["pi"], RECORDED, {"workload.pi": INTENT}) == begun
    failed = {"workload.pi": {**INTENT, "failed": True}}
    assert last_run("pi", ["pi"], RECORDED, failed) == replace(begun, pending=False)


def test_a_run_is_its_modules_who_began_it() -> None:
    assert last_run("pi", ["pi"], {}, {"workload.pi": {**INTENT, "module": "stream_submit"}}).module == "stream_submit"


def test_what_was_begun_and_is_not_wanted_any_more_is_removed_whatever_task_began_it() -> None:
    begun = {"thrift-check.sql": {**INTENT, "module": "jdbc_check"}, "ehsm-account": {"enroll": True}}
    found = abandoned_runs(begun, RECORDED, ["namespace"])
    assert {address: one.module for address, one in found.items()} == {"thrift-check.sql": "jdbc_check"}
    assert abandoned_runs(begun, RECORDED, ["thrift-check.sql"]) == {}


def test_a_workload_that_ppml_yaml_lost_still_has_its_last_run() -> None:
    assert last_run("pi", [], RECORDED, {}).name == "pi-1"


def test_an_unknown_workload_is_told_with_those_that_there_are() -> None:
    with pytest.raises(InputError) as refused:
        last_run("pie", ["pi", "sql"], RECORDED, {})
    assert str(refused.value) == (
        "error[workload-unknown]: there is no such workload\n  is   pie\n  fix  workloads: pi, sql"
    )


def test_a_workload_without_a_run_says_so() -> None:
    with pytest.raises(InputError) as refused:
        last_run("sql", ["pi", "sql"], RECORDED, {})
    assert str(refused.value) == (
        "error[workload-not-run]: a workload has not run yet\n  is   sql\n  fix  ppmlctl apply"
    )


def test_named_workloads_run_as_if_ppml_yaml_said_always() -> None:
    data = {"workloads": [{"name": "pi", "rerun": "never"}, {"name": "sql", "rerun": "on-change"}], "name": "x"}
    assert with_reruns(data, {"pi"}) == {
        "workloads": [{"name": "pi", "rerun": "always"}, {"name": "sql", "rerun": "on-change"}],
        "name": "x",
    }
    with pytest.raises(InputError, match="there is no such workload"):
        with_reruns(data, {"pie"})
