"""Following the logs of a run: which pod's, how long, and what is left out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, cast

import pytest

from ppmlctl.clients.kubernetes import KubernetesClient, ObjectKey
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.flows.spark.run import ROLES
from ppmlctl.runs import logs
from ppmlctl.runs.logs import LoggedRun, leader_log, worker_logs

Manifest = dict[str, Any]
COMPLETE = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


class Cluster:
    """A cluster in memory that is one step further at each look at its pods."""

    def __init__(self, *steps: list[Manifest], job: Manifest | None = None) -> None:
        self.steps = list(steps)
        self.job = job
        self.logs: dict[str, str] = {}
        self.followed: dict[str, Callable[[], Iterator[str]]] = {}

    def list_objects(self, *_: str, **__: str) -> list[Manifest]:
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]

    def get(self, key: ObjectKey) -> Manifest | None:
        if key.kind == "Secret":
            return {"data": {"api_key": base64.b64encode(b"s3cret-key").decode()}}
        return self.job

    def pod_log(self, key: ObjectKey) -> str:
        return self.logs[key.name]

    def follow_log(self, key: ObjectKey) -> Iterator[str]:
        return self.followed[key.name]() if key.name in self.followed else iter(self.logs[key.name].splitlines())


def pod(name: str, phase: str, **labels: str) -> Manifest:
    variable = {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "kms-secret", "key": "api_key"}}}
    metadata = {"name": name, "namespace": "n", "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
    spec = {"containers": [{"name": "c", "env": [variable]}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def submitter(phase: str) -> Manifest:
    return pod("run-abcde", phase, **{"job-name": "run"})


def driver(phase: str) -> Manifest:
    return pod("run-driver", phase, **{"spark-role": "driver"})


def followed(cluster: Cluster) -> list[str]:
    return list(leader_log(run_in(cluster), follow=True))


def run_in(cluster: Cluster) -> LoggedRun:
    return LoggedRun(cast("KubernetesClient", cluster), "n", "run", ROLES)


@pytest.fixture(autouse=True)
def _looks_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_PAUSE_SECONDS", 0.0)


def test_the_log_of_a_submission_is_followed_by_that_of_its_driver() -> None:
    ended = [submitter("Succeeded"), driver("Pending")]
    steps = [submitter("Running")], ended, ended, [submitter("Succeeded"), driver("Running")], [driver("Succeeded")]
    cluster = Cluster(*steps, job=COMPLETE)
    cluster.logs = {"run-abcde": "submitted", "run-driver": "one\ntwo"}
    assert followed(cluster) == ["submitted", "one", "two"]


def test_a_driver_that_waits_for_a_node_is_waited_for_although_its_job_is_complete() -> None:
    cluster = Cluster([driver("Pending")], [driver("Pending")], [driver("Running")], [driver("Failed")], job=COMPLETE)
    cluster.logs = {"run-driver": "began\nfailed"}
    assert followed(cluster) == ["began", "failed"]


def test_a_lost_connection_is_taken_up_where_it_was() -> None:
    cluster = Cluster([driver("Running")], [driver("Running")], [driver("Succeeded")])
    cluster.logs = {"run-driver": "one\ntwo\nthree"}

    def lost() -> Iterator[str]:
        yield "one"
        raise TransientError(Diagnostic("k8s-unreachable", "away"))

    cluster.followed = {"run-driver": lost}
    assert followed(cluster) == ["one", "two", "three"]


def test_a_driver_in_the_submitting_pod_ends_with_its_job() -> None:
    cluster = Cluster([submitter("Running")], [submitter("Succeeded")], job=COMPLETE)
    cluster.logs = {"run-abcde": "Pi is roughly 3.1"}
    assert followed(cluster) == ["Pi is roughly 3.1"]


def test_a_run_without_pods_whose_job_is_over_has_no_log() -> None:
    with pytest.raises(EngineError) as refused:
        followed(Cluster([], job=COMPLETE))
    assert refused.value.diagnostics[0].code == "workload-log-gone"


@pytest.mark.parametrize("follow", [True, False])
def test_what_pods_read_from_secrets_is_not_shown(*, follow: bool) -> None:
    cluster = Cluster([driver("Running")], [driver("Succeeded")])
    cluster.logs = {"run-driver": "+ java -k s3cret-key"}
    lines = leader_log(run_in(cluster), follow=follow)
    assert list(lines) == ["+ java -k (secret)"]


def test_whoever_stops_following_executors_does_not_wait_for_them() -> None:
    never = Event()

    def endless() -> Iterator[str]:
        yield "began"
        never.wait()

    cluster = Cluster([pod("run-exec-1", "Running", **{"spark-role": "executor"})])
    cluster.followed = {"run-exec-1": endless}
    lines = worker_logs(run_in(cluster), follow=True)
    assert next(lines) == "[run-exec-1] began"
    cast("Any", lines).close()
    never.set()
