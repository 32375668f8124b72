"""Spark on Kubernetes as BigDL's images run it: submission, pod templates, the Job, what logs and pods mean. Pure."""

from ppmlctl.spark.encrypted_fs import (
    DATA_KEY,
    ENCRYPTED_FOLDER,
    KEYS_FOLDER,
    PRIMARY_KEY,
    STORED_FOLDER,
    account_references,
    encrypted_variables,
)
from ppmlctl.spark.job import (
    SUBMIT_CONTAINER,
    admission_manifest,
    admission_name,
    files_manifest,
    job_manifest,
    submission_files,
    submit_environment,
)
from ppmlctl.spark.log_lines import failures_in, telling_lines
from ppmlctl.spark.pod_template import (
    AESM_SOCKET,
    KEYS_SECRET,
    KUBECONFIG_SECRET,
    SPARK_SECRET,
    attestation_environment,
    completed_template,
    pod_template,
)
from ppmlctl.spark.pods import Pods, end_of, failed_mounts, patience, phase, waiting_reason
from ppmlctl.spark.security import AUTHENTICATION, CREDENTIALS
from ppmlctl.spark.submission import (
    Attestation,
    EncryptedFs,
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
    "AESM_SOCKET",
    "AUTHENTICATION",
    "CREDENTIALS",
    "DATA_KEY",
    "ENCRYPTED_FOLDER",
    "KEYS_FOLDER",
    "KEYS_SECRET",
    "KUBECONFIG_SECRET",
    "NOT_CHECKED",
    "PRIMARY_KEY",
    "SPARK_SECRET",
    "STORED_FOLDER",
    "SUBMIT_CONTAINER",
    "Attestation",
    "EncryptedFs",
    "Executor",
    "Logs",
    "Pods",
    "Process",
    "Security",
    "Submission",
    "Verdict",
    "account_references",
    "admission_manifest",
    "admission_name",
    "attestation_environment",
    "completed_template",
    "driver_name",
    "encrypted_variables",
    "end_of",
    "failed_mounts",
    "failures_in",
    "files_manifest",
    "job_manifest",
    "judged",
    "patience",
    "phase",
    "pod_template",
    "run_name",
    "said_at_first",
    "submission_files",
    "submit_environment",
    "submit_words",
    "telling_lines",
    "waiting_reason",
]
