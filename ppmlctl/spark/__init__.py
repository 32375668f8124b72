"""Spark on Kubernetes as BigDL's images run it: submission, pod templates and the Job that submits. Pure."""

from ppmlctl.spark.job import job_manifest, templates_manifest
from ppmlctl.spark.outcome import NOT_CHECKED, Outcome, judged
from ppmlctl.spark.pod_template import pod_template
from ppmlctl.spark.submission import (
    Attestation,
    Executor,
    Process,
    Security,
    Submission,
    driver_name,
    run_name,
)
from ppmlctl.spark.words import submit_words

__all__ = [
    "NOT_CHECKED",
    "Attestation",
    "Executor",
    "Outcome",
    "Process",
    "Security",
    "Submission",
    "driver_name",
    "job_manifest",
    "judged",
    "pod_template",
    "run_name",
    "submit_words",
    "templates_manifest",
]
