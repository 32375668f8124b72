"""What ppml.yaml may say: the models here, with the kinds of workload that whoever reads it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, create_model

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.workload import Workload

KindRule = Callable[[Environment, KeyPath, Any], Iterator[Finding]]
"""Is given the environment as it was written, and one section of its kind with its place."""


@dataclass(frozen=True)
class Language:
    """The model of the whole, and what is particular to each kind of workload in it."""

    environment: type[Environment]
    rules: Mapping[type[Kind], tuple[KindRule, ...]]


def language_with(kinds: Mapping[str, tuple[type[Kind], str, tuple[KindRule, ...]]]) -> Language:
    """The language with these kinds under `workloads[]`: section, sentence for people and rules, by their keys."""
    alternatives: dict[str, Any] = {
        key: (section | None, Field(None, description=about)) for key, (section, about, _) in kinds.items()
    }
    workload = create_model("Workload", __base__=Workload, __doc__=Workload.__doc__, **alternatives)
    workload.alternatives = tuple(kinds)
    listed: Any = (tuple[workload, ...], Environment.model_fields["workloads"])
    environment = create_model("Environment", __base__=Environment, __doc__=Environment.__doc__, workloads=listed)
    return Language(environment, {section: rules for section, _, rules in kinds.values()})
