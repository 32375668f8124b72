"""What a kind of workload knows of the logs of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ppmlctl.evidence import Evidence
from ppmlctl.runs.refusal import Refusal


class Verdict(Protocol):
    """What is claimed of a run, with its evidence, or a `failure` in words; `warnings` either way."""

    @property
    def claim(self) -> str: ...
    @property
    def evidence(self) -> Evidence | None: ...
    @property
    def failure(self) -> str: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class Judge(Protocol):
    """Judges one run."""

    @property
    def said_at_first(self) -> tuple[str, ...]:
        """What its logs have to say before anything else, so that their beginnings are kept."""

    def judged(self, leader: str, workers: Mapping[str, str]) -> Verdict:
        """A run whose leader ended well, by the logs; workers' by their pods' names."""

    def refusal(self, told: str) -> Refusal | None:
        """What a service says that refused the pods, where what is told of a failure says that one did."""
