"""Spark on Kubernetes as BigDL's images run it: submission, pod templates, the Job, what logs and pods mean. Pure."""

from ppmlctl.spark.job import (
    SUBMIT_CONTAINER,
    client_environment,
    job_pod,
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
    LONGEST_NAME,
    Executor,
    Process,
    Security,
    Submission,
    driver_name,
)
from ppmlctl.spark.verdict import NOT_CHECKED, Logs, Verdict, judged, said_at_first
from ppmlctl.spark.words import submit_words

__all__ = [
    "AUTHENTICATION",
    "CREDENTIALS",
    "KEYS_SECRET",
    "KUBECONFIG_SECRET",
    "LONGEST_NAME",
    "NOT_CHECKED",
    "SPARK_SECRET",
    "SUBMIT_CONTAINER",
    "Executor",
    "Logs",
    "Process",
    "Security",
    "Submission",
    "Verdict",
    "client_environment",
    "completed_template",
    "driver_name",
    "failures_in",
    "job_pod",
    "judged",
    "key_client_program",
    "pod_template",
    "said_at_first",
    "submission_files",
    "submit_environment",
    "submit_words",
    "tells_refused_account",
]
