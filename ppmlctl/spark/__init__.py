"""Spark on Kubernetes as BigDL's images run it: submission, pod templates and the Job that submits. Pure."""

from ppmlctl.spark.job import job_manifest, templates_manifest
from ppmlctl.spark.pod_template import pod_template
from ppmlctl.spark.submission import Attestation, Executor, Process, Security, Submission
from ppmlctl.spark.words import submit_words

__all__ = [
    "Attestation",
    "Executor",
    "Process",
    "Security",
    "Submission",
    "job_manifest",
    "pod_template",
    "submit_words",
    "templates_manifest",
]
