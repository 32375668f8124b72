"""The labels by which ppmlctl finds its objects again, and whose an object is by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ENVIRONMENT = "ppmlctl/environment"
TASK = "ppmlctl/task"
RUN = "ppmlctl/run"
"""One attempt of a workload, on its pods."""

_LABEL_LENGTH = 63


def label_value(text: str) -> str:
    """The text as a label's value: letters, digits, `-_.`, at most 63 characters."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:_LABEL_LENGTH].strip("-_.")


def environment_of(live: Mapping[str, Any]) -> str:
    """The environment whose label an object carries; empty where it carries none."""
    return str((live["metadata"].get("labels") or {}).get(ENVIRONMENT) or "")
