"""ppml.yaml: its models, one file per section, and the loader that keeps file, line and column."""

from ppmlctl.spec.defaults import SANDBOX_EHSM
from ppmlctl.spec.duration import Duration
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.load import Loaded
from ppmlctl.spec.names import LONGEST_WORKLOAD
from ppmlctl.spec.secret_source import SecretSource
from ppmlctl.spec.size import Size
from ppmlctl.spec.yaml_document import Document
from ppmlctl.spec.yaml_source import parse_yaml, read_yaml

__all__ = [
    "LONGEST_WORKLOAD",
    "SANDBOX_EHSM",
    "Document",
    "Duration",
    "Environment",
    "Loaded",
    "SecretSource",
    "Size",
    "parse_yaml",
    "read_yaml",
]
