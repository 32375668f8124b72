"""One submission that tests change, and what they look for in words and manifests."""

from __future__ import annotations

from typing import Any

from ppmlctl.flows.spark.job import job_pod
from ppmlctl.flows.spark.submission import Executor, Process, Submission
from ppmlctl.flows.spark.words import submit_words

PI = Submission(
    name="spark-pi-0123abcd-1",
    workload="spark-pi",
    namespace="ppml",
    image="ppml/custom:1",
    application="local:///opt/examples.jar",
    service_account="spark",
    main_class="org.example.Pi",
    arguments=("100", "--deep"),
    driver=Process("8g", 8, "6g"),
    executor=Executor("4g", 2, "3g", instances=3),
    epc_request="17179869184",
    labels={"ppmlctl/task": "workload.spark-pi", "ppmlctl/run": "spark-pi-0123abcd-1"},
)


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def settings(submission: Submission) -> dict[str, str]:
    words = submit_words(submission)
    pairs = (words[place + 1].split("=", 1) for place, word in enumerate(words) if word == "--conf")
    return dict(pairs)


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def submitting(submission: Submission) -> dict[str, Any]:
    (container,) = job_pod(submission)["containers"]
    return dict(container)
