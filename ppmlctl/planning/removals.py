"""What goes with the things that a plan takes away, and which of them it leaves, unless somebody names them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ppmlctl.planning.model import ActionKind, Company, Plan, PlannedAction, Removal
from ppmlctl.planning.plan import removal_reason

_ALONE = Company()


@dataclass(frozen=True)
class Dwelling:
    """Where a recorded thing is among others: what tells it from them, and the thing that takes it along, if any."""

    thing: str | None
    inside: str | None


def with_company(
    plan: Plan, company: Mapping[str, Company], dwellings: Mapping[str, Dwelling], *, destroying: bool = False
) -> Plan:
    """The plan that leaves what holds more than itself, and says of all else that goes what goes with it.

    `company` and `dwellings` are of recorded things, by address. `destroying`: everything goes, as somebody asked.
    """
    actions = [_held_back(one, company.get(one.address, _ALONE), destroying=destroying) for one in plan.actions]
    gone = {dwellings[one.address].thing for one in actions if one.takes_away and one.address in dwellings} - {None}
    along = [_along(one, dwellings[one.address], gone) if one.address in dwellings else one for one in actions]
    return replace(plan, actions=tuple(_told(one, company.get(one.address, _ALONE)) for one in along))


def _held_back(action: PlannedAction, company: Company, *, destroying: bool) -> PlannedAction:
    deletes = action.action is ActionKind.DELETE and action.removal is Removal.DELETE
    if destroying or action.named or not deletes or not company.held:
        return action
    kept = removal_reason(Removal.KEEP)
    reason = f"{kept}, since with it would go {company.held}; to remove it: --replace {action.address}"
    return replace(action, removal=Removal.KEEP, reasons=(reason,))


def _along(action: PlannedAction, dwelling: Dwelling, gone: set[str | None]) -> PlannedAction:
    if not action.only_forgets or dwelling.inside not in gone:
        return action
    return replace(action, removal=Removal.ALONG, reasons=(f"{removal_reason(Removal.ALONG)}: {dwelling.inside}",))


def _told(action: PlannedAction, company: Company) -> PlannedAction:
    if not action.takes_away:
        return action
    return replace(action, reasons=(*action.reasons, *(f"with it goes {what}" for what in company.along)))
