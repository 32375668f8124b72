"""Playbooks: tasks as written, and as planned."""

from ppmlctl.playbook.expand import Expanded, Output, expand
from ppmlctl.playbook.literals import check_literals
from ppmlctl.playbook.parse import parse
from ppmlctl.playbook.written import Playbook, WrittenTask

__all__ = ["Expanded", "Output", "Playbook", "WrittenTask", "check_literals", "expand", "parse"]
