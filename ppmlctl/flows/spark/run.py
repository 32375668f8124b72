"""A submission of Spark as a run: what its pods are, what submits it, what judges it, what it will ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.flows.spark.job import client_environment, job_pod, submission_files
from ppmlctl.flows.spark.log_lines import tells_refused_account
from ppmlctl.flows.spark.pod_template import completed_template
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.flows.spark.verdict import Logs, Verdict, judged, said_at_first
from ppmlctl.flows.spark.words import submit_words
from ppmlctl.kubernetes.objects import Manifest
from ppmlctl.runs.refusal import Refusal
from ppmlctl.runs.run import Roles, Run

ROLES = Roles(leader="driver", worker="executor", label="spark-role", number="spark-exec-id")


def run_of(submission: Submission) -> Run:
    """The run of a submission. With dynamic allocation Spark ends executors that are idle."""
    return Run(
        name=submission.name,
        workload=submission.workload,
        namespace=submission.namespace,
        roles=ROLES,
        deadline=submission.deadline,
        labels=submission.labels,
        leader_apart=submission.mode == "cluster",
        workers=submission.executor.instances if submission.on_cluster else None,
        ends_idle_workers=submission.conf.get("spark.dynamicAllocation.enabled", "").lower() == "true",
    )


def pods_asked_for(submission: Submission) -> Iterator[Manifest]:
    """The pods that Spark will ask for, as far as they are known before."""
    if submission.on_cluster:
        yield completed_template(submission, "driver")
        yield completed_template(submission, "executor")


@dataclass(frozen=True)
class SparkProgram:
    """A Program (see there): spark-submit, by the script of ours."""

    submission: Submission

    def files(self) -> Mapping[str, str]:
        return submission_files(self.submission)

    def pod(self) -> Manifest:
        return job_pod(self.submission)

    def words(self, api_server: str, folder: str) -> list[str]:
        return submit_words(self.submission, api_server=api_server, folder=folder)

    def environment(self) -> Mapping[str, str]:
        return client_environment(self.submission)


@dataclass(frozen=True)
class SparkJudge:
    """A Judge (see there): by what BigDL's images and Spark's scheduler write."""

    submission: Submission
    expected: str | None = None
    """What the driver's log has to hold."""
    ask: Callable[[], Refusal] | None = None
    """Asks the service that the pods attest to why it refused them; None where there is nobody to ask."""

    @property
    def said_at_first(self) -> tuple[str, ...]:
        return said_at_first(self.submission)

    def judged(self, leader: str, workers: Mapping[str, str]) -> Verdict:
        return judged(self.submission, Logs(leader, workers), self.expected)

    def refusal(self, told: str) -> Refusal | None:
        return self.ask() if self.ask and tells_refused_account(told) else None
