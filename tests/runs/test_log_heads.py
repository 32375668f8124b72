"""The beginnings of logs that a node cuts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ppmlctl.clients.kubernetes import ObjectKey
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.flows.spark.run import run_of
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.flows.spark.verdict import Logs, judged, said_at_first
from ppmlctl.runs import log_heads
from ppmlctl.runs.log_heads import LogHeads
from ppmlctl.runs.pods import Pods

PI = Submission("pi-0-1", "pi", "ppml", "ppml/custom:1", "local:///a.jar", "spark")
RUN = run_of(PI)
START = "Gramine is starting. Parsing TOML manifest file\n"


class Node:
    """Gives a log as it stands, from its beginning on; the node has cut it where the test says so."""

    def __init__(self) -> None:
        self.log = ""
        self.asked = 0

    def pod_log(self, _pod: ObjectKey, *, limit_bytes: int) -> str:
        self.asked += 1
        if not self.log:
            raise EngineError(Diagnostic("k8s-refused", "no log"))
        return self.log[:limit_bytes]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def heads(node: Node, monkeypatch: pytest.MonkeyPatch) -> LogHeads:
    monkeypatch.setattr(log_heads, "_EVERY_SECONDS", 0.0)
    return LogHeads(cast("Any", SimpleNamespace(engines=SimpleNamespace(kubernetes=node))), RUN, said_at_first(PI))


def driver(phase: str = "Running") -> Pods:
    metadata = {"name": "pi-0-1-driver", "namespace": "ppml", "labels": {"spark-role": "driver"}}
    return Pods(RUN, [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": phase}}])


def test_a_run_whose_long_log_was_cut_is_judged_with_its_beginning(node: Node, heads: LogHeads) -> None:
    heads.read(driver())  # not there yet
    for node.log in ("stand", "stand-in: driver\n" + START, "INFO Executor\nPi is roughly 3.1"):
        heads.read(driver())
    assert judged(PI, Logs(node.log), "Pi is roughly").failure
    assert not judged(PI, Logs(heads.with_head("pi-0-1-driver", node.log)), "Pi is roughly").failure


def test_what_was_cut_before_it_was_read_is_not_made_up(node: Node, heads: LogHeads) -> None:
    node.log = "INFO Executor\n" * 3
    heads.read(driver())
    assert judged(PI, Logs(heads.with_head("pi-0-1-driver", node.log)), None).failure


def test_a_log_that_is_whole_stays_as_it_is(node: Node, heads: LogHeads) -> None:
    node.log = START + "INFO 1\n"
    heads.read(driver())
    assert heads.with_head("pi-0-1-driver", node.log + "INFO 2\n") == node.log + "INFO 2\n"
    assert heads.with_head("another", "log") == "log"


def test_a_log_that_has_said_everything_or_has_ended_is_not_read_again(node: Node, heads: LogHeads) -> None:
    node.log = START
    heads.read(driver("Succeeded"))
    assert node.asked == 0
    heads.read(driver())
    heads.read(driver())
    assert node.asked == 1
