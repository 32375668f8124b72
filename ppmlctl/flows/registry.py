"""All flows, and the language that they make."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ppmlctl.expressions import offer
from ppmlctl.flows.flow import Flow
from ppmlctl.flows.spark.flow import SPARK
from ppmlctl.flows.thrift_server.flow import THRIFT_SERVER
from ppmlctl.spec.language import Language, language_with
from ppmlctl.spec.load import Loaded
from ppmlctl.spec.load import load as load_with

FLOWS: tuple[Flow, ...] = (SPARK, THRIFT_SERVER)
for _flow in FLOWS:
    offer(_flow.filters)

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@cache
def language() -> Language:
    """ppml.yaml with every flow in it."""
    return language_with({flow.key: (flow.section, flow.about, flow.rules) for flow in FLOWS})


def load(path: Path, *, variables: Mapping[str, str] = _NO_VARIABLES) -> Loaded:
    """The environment that `path` declares; see ppmlctl.spec.load."""
    return load_with(path, language(), variables=variables)


def module_of_before() -> str:
    """The module of runs that a release began whose journal does not name it."""
    return "spark_submit"


def folders() -> tuple[Path, ...]:
    """Where the flows' files are."""
    return tuple(Path(__file__).with_name(flow.key) for flow in FLOWS)
