"""What a plan says of the things that it takes away, and which of them it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.planning import ActionKind, Company, Plan, PlannedAction, Removal, with_company
from ppmlctl.planning.removals import Dwelling

HOLDER = Company(along=("2 Pod: a, b",), held="everything in it")
DWELLINGS = {"space": Dwelling("Namespace x", None), "claim": Dwelling("PersistentVolumeClaim x/data", "Namespace x")}


def plan(**space: Any) -> Plan:
    action = {"action": ActionKind.DELETE, "reasons": ("no task wants it any more",), **space}
    kept = PlannedAction("claim", "k8s_object", ActionKind.DELETE, ("kept",), removal=Removal.KEEP)
    return Plan((kept, PlannedAction("space", "k8s_object", **action)))


def test_what_holds_others_stays_where_its_task_is_gone() -> None:
    kept, space = with_company(plan(), {"space": HOLDER}, DWELLINGS).actions
    assert space.removal is Removal.KEEP
    (reason,) = space.reasons
    assert reason.startswith("no task wants it any more; kept, only the record goes, since with it would go ")
    assert reason.endswith(" everything in it; to remove it: --replace space")
    assert kept.only_forgets


@pytest.mark.parametrize(
    ("space", "destroying"),
    [({}, True), ({"named": True}, False), ({"named": True, "action": ActionKind.REPLACE}, False)],
)
def test_what_is_kept_in_a_thing_that_goes_is_not_called_kept(space: dict[str, Any], *, destroying: bool) -> None:
    shown = with_company(plan(**space), {"space": HOLDER}, DWELLINGS, destroying=destroying)
    kept, gone = shown.actions
    assert gone.reasons == ("no task wants it any more", "with it goes 2 Pod: a, b")
    assert (kept.removal, kept.only_forgets) == (Removal.ALONG, False)
    assert kept.reasons == ("no task wants it any more; it goes with what it lives in: Namespace x",)
    assert shown.summary()["forget"] == 0


def test_what_holds_nothing_goes() -> None:
    kept, gone = with_company(plan(), {}, DWELLINGS).actions
    assert (gone.removal, kept.removal) == (Removal.DELETE, Removal.ALONG)
