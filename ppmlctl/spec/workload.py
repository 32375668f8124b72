"""`workloads:` what runs, each once per change of what it depends on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.spec.duration import Duration
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.names import WorkloadName
from ppmlctl.spec.section import Choice


class Workload(Choice):
    """`workloads[]`"""

    alternatives: ClassVar[tuple[str, ...]] = ()
    """Keys of kinds; language.py has a field for each."""

    name: WorkloadName = Field(description="Name of the workload; its pods and Services are named after it.")
    expect_log: str | None = Field(
        None,
        description="Text that the log of a successful run holds. Default for SparkPi: `Pi is roughly`; "
        "for all else the result is not checked.",
        min_length=1,
    )
    deadline: Duration = Field(Duration("30m"), description="Time after which a run has failed.")
    needs: tuple[str, ...] = Field((), description="Workloads that must have succeeded before.")
    rerun: Literal["on-change", "always", "never"] = Field(
        "on-change", description="Whether it runs again: when what it depends on changed, at every apply, or never."
    )

    @property
    def kind(self) -> Kind:
        """The section of the one kind that is named."""
        kind: Kind = getattr(self, self.chosen)
        return kind

    @property
    def chosen(self) -> str:
        """The key of that kind."""
        return next(name for name in self.alternatives if getattr(self, name) is not None)
