"""Spark on Kubernetes as BigDL's images run it: submission, pod templates, the Job, what logs and pods mean. Pure."""

from ppmlctl.spark.job import (
    SUBMIT_CONTAINER,
    admission_manifest,
    admission_name,
    files_manifest,
    job_manifest,
    submission_files,
    submit_environment,
)
from ppmlctl.spark.key_client_program import key_client_program
from ppmlctl.spark.log_lines import failures_in, tells_refused_account
from ppmlctl.spark.pod_template import (
    KEYS_SECRET,
    KUBECONFIG_SECRET,
    SPARK_SECRET,
    completed_template,
    pod_template,
)
from ppmlctl.spark.security import AUTHENTICATION, CREDENTIALS
from ppmlctl.spark.submission import (
    Executor,
    Process,
    Security,
    Submission,
    driver_name,
    run_name,
)
from ppmlctl.spark.verdict import NOT_CHECKED, Logs, Verdict, judged, said_at_first
from ppmlctl.spark.words import submit_words

__all__ = [
    "AUTHENTICATION",
    "CREDENTIALS",
    "KEYS_SECRET",
    "KUBECONFIG_SECRET",
    "NOT_CHECKED",
    "SPARK_SECRET",
    "SUBMIT_CONTAINER",
    "Executor",
    "Logs",
    "Process",
    "Security",
    "Submission",
    "Verdict",
    "admission_manifest",
    "admission_name",
    "completed_template",
    "driver_name",
    "failures_in",
    "files_manifest",
    "job_manifest",
    "judged",
    "key_client_program",
    "pod_template",
    "run_name",
    "said_at_first",
    "submission_files",
    "submit_environment",
    "submit_words",
    "tells_refused_account",
]
