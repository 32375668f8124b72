"""Deciding, purely: tasks, observations and the lockfile go in, a plan comes out."""

from ppmlctl.planning.diff import decide
from ppmlctl.planning.graph import in_order, sorted_by_needs
from ppmlctl.planning.model import (
    ABSENT,
    NOT_LOOKED_AT,
    ActionKind,
    Change,
    Company,
    FieldChange,
    Observed,
    Plan,
    PlannedAction,
    Recorded,
    Removal,
    Selection,
    Wanted,
)
from ppmlctl.planning.moves import Moves, followed, moves, relocated
from ppmlctl.planning.plan import Planner, make_plan
from ppmlctl.planning.removals import with_company
from ppmlctl.planning.selection import Tags, check_asked, check_known, select
from ppmlctl.planning.task import Declaration, Results, Task

__all__ = [
    "ABSENT",
    "NOT_LOOKED_AT",
    "ActionKind",
    "Change",
    "Company",
    "Declaration",
    "FieldChange",
    "Moves",
    "Observed",
    "Plan",
    "PlannedAction",
    "Planner",
    "Recorded",
    "Removal",
    "Results",
    "Selection",
    "Tags",
    "Task",
    "Wanted",
    "check_asked",
    "check_known",
    "decide",
    "followed",
    "in_order",
    "make_plan",
    "moves",
    "relocated",
    "select",
    "sorted_by_needs",
    "with_company",
]
