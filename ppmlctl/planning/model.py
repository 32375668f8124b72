"""The values of a plan: what is wanted, what is there, what was recorded, and what would be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ppmlctl.diagnostics import Diagnostic
from ppmlctl.evidence import Evidence
from ppmlctl.secret import Secret


class ActionKind(StrEnum):
    """The closed set of things a plan can say about a task; the same words in code, output and documents."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RUN = "run"
    KEEP = "keep"


class Removal(StrEnum):
    """What becomes of a thing whose task is gone."""

    DELETE = "delete"
    KEEP = "keep"
    IMPOSSIBLE = "impossible"
    ALONG = "along"
    """It would be kept, but what it lives in is taken away, and it goes with that."""


@dataclass(frozen=True)
class FieldChange:
    """One field with its value before and after; secrets stay Secret, what is not known yet stays Unknown."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What a module's `diff` decided, with its reasons. A `keep` carries its reason too."""

    action: ActionKind
    reasons: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """One task's arguments. `inputs` is their public form, as the lockfile records them: secrets as keyed digests."""

    address: str
    args: Any
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Observed:
    """What an observation found.

    `fields` are compared with the recorded result, by name. `foreseen` are fields of the result that `apply` would
    give, where they can be computed without writing. `detail` is the module's own (a live object, say) and is compared
    by nobody else. `notes` are warnings that every plan shows.
    """

    exists: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
    foreseen: Mapping[str, Any] = field(default_factory=dict)
    detail: Any = None
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """What an apply of it warns of, and so does a plan that would."""
    version: str = ""
    """What its owner calls this state of it, where that is told; another one is another state."""
    looked_at: bool = True
    given: Secret | None = None
    """A secret value that the user gives elsewhere than in the arguments, where it is to be put in place."""
    held: str = ""
    """What goes with the recorded thing where a replacement takes it away, and no plan takes away unasked; in words."""


@dataclass(frozen=True)
class Company:
    """What goes where a recorded thing is taken away. `along`: what else goes, in words."""

    along: tuple[str, ...] = ()
    held: str = ""
    """What makes the thing one that no plan takes away unasked, in words; empty: nothing."""


ABSENT = Observed(exists=False)
NOT_LOOKED_AT = Observed(exists=False, looked_at=False)
"""Nobody could look: the sandbox does not run yet."""


@dataclass(frozen=True)
class Recorded:
    """One entry of the lockfile. In `result`, secrets are Secret values that are fetched by their handles."""

    module: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    evidence: Evidence | None = None
    protect: bool = False
    stored_otherwise: Mapping[str, str] = field(default_factory=dict)
    """Where the engine stored something else than was sent: keyed digests by path. The module's own to read."""
    moved_from: str = ""
    """The address under which the lockfile has it, where it follows its thing to another task. Serves display only."""


@dataclass(frozen=True)
class PlannedAction:
    """One node of the plan. `conditional`: decided during apply, when the results of `because_of` are known."""

    address: str
    module: str
    action: ActionKind
    reasons: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    conditional: bool = False
    because_of: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    removal: Removal = Removal.DELETE
    evidence: Evidence | None = None
    title: str = ""
    rotates: bool = False
    """Whether its thing is made anew though it is there, because somebody asked for it."""
    named: bool = False
    """Whether its thing is taken away, and made anew where a task wants it, because somebody named it."""
    outcome: tuple[FieldChange, ...] = ()
    """What is foreseen to become of its recorded result. Serves display only."""

    @property
    def only_forgets(self) -> bool:
        """Whether it is a removal that drops the record and leaves the thing."""
        return self.action is ActionKind.DELETE and self.removal not in {Removal.DELETE, Removal.ALONG}

    @property
    def takes_away(self) -> bool:
        """Whether it takes its thing away, for good or to make it anew."""
        return self.action is ActionKind.REPLACE or (
            self.action is ActionKind.DELETE and self.removal is Removal.DELETE
        )


@dataclass(frozen=True)
class Selection:
    """What a plan is about, by tags. Addresses are in the order of the playbook."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    """Not chosen, and planned since a chosen task needs them."""
    held: frozenset[str] = frozenset()
    """Left out, and looked at since a chosen task needs them."""
    left_out: tuple[str, ...] = ()
    """Nothing is made, changed or removed of these."""

    @property
    def restricts(self) -> bool:
        """Whether somebody asked for less than everything; then nothing is removed either."""
        return bool(self.only or self.skip)


@dataclass(frozen=True)
class Plan:
    """An immutable graph of actions, in an order in which every action comes after those it needs."""

    actions: tuple[PlannedAction, ...]
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    observed: Mapping[str, Observed] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    """What has to be known before the plan is agreed to."""
    selection: Selection = field(default_factory=Selection)

    def acting(self) -> list[PlannedAction]:
        """The actions that are not `keep`."""
        return [action for action in self.actions if action.action is not ActionKind.KEEP]

    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.acting()

    def summary(self) -> dict[str, int]:
        """How many actions of each kind; those decided during apply are counted as `conditional` alone, and removals
        that take nothing away as `forget`.
        """
        counts = {kind.value: 0 for kind in ActionKind} | {"conditional": 0, "forget": 0}
        for action in self.actions:
            kind = "forget" if action.only_forgets else action.action.value
            counts["conditional" if action.conditional else kind] += 1
        return counts
