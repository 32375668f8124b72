"""Playbooks: tasks as written, and as planned."""

from ppmlctl.playbook.expand import Expanded, Output, expand
from ppmlctl.playbook.parse import Playbook, WrittenTask, parse

__all__ = ["Expanded", "Output", "Playbook", "WrittenTask", "expand", "parse"]
