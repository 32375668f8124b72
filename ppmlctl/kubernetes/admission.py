"""How one pod of a Job is admitted by name, and a pod that replaces it begins nothing; where the Job's files are."""

from __future__ import annotations

from ppmlctl.kubernetes.pod_parts import Volumes

ADMISSION_FOLDER = "/ppml/admission"
ADMITTED = "admitted"
"""The key, a file below ADMISSION_FOLDER, with the name of the one pod that may begin the run."""
SUBMISSION_FOLDER = "/ppml/submission"
"""Where the submitting container finds its files."""

ADMISSION_GUARD = f"""\
# A pod that replaces the one that began is another pod, and begins nothing.
if [ -n "${{PPMLCTL_POD:-}}" ]; then
    admitted=$(cat {ADMISSION_FOLDER}/{ADMITTED}) || exit 1
    if [ "$admitted" != "$PPMLCTL_POD" ]; then
        echo "ppmlctl: $admitted began this run; it does not begin again"
        exit 1
    fi
fi
"""
"""What a script asks first in a pod of a Job; elsewhere it asks nothing."""


def admission_name(run: str) -> str:
    """The ConfigMap that admits a pod of a run's Job. Until it is there, the pod waits for its mount."""
    return f"{run}-admission"


def files_name(run: str) -> str:
    """The ConfigMap with a run's files."""
    return f"{run}-submission"


def submission_volumes(run: str) -> Volumes:
    """Both, as the pod of a run's Job has them."""
    return {
        "admission": (ADMISSION_FOLDER, {"configMap": {"name": admission_name(run)}}),
        "submission": (SUBMISSION_FOLDER, {"configMap": {"name": files_name(run)}}),
    }
