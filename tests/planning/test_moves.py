"""Records that follow their things to tasks with other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ppmlctl.planning import Moves, Recorded, Wanted, followed, moves, relocated


class Named:
    """A declaration whose things have names."""

    def identity(self, args: Any) -> str | None:
        return args

    def recorded_identity(self, recorded: Recorded) -> str | None:
        return str(recorded.result["name"])


MODULES: Any = {"named": Named(), "other": Named()}


def recorded(**names: str) -> dict[str, Recorded]:
    return {address: Recorded("named", result={"name": name}) for address, name in names.items()}


def found(wanted: Mapping[str, str | None], records: Mapping[str, Recorded], module: str = "named") -> Moves:
    return moves([(Wanted(address, thing, {}), module) for address, thing in wanted.items()], MODULES, records)


@pytest.mark.parametrize(
    ("wanted", "records", "expected"),
    [
        pytest.param({"a": "x"}, {"a": "x"}, {}, id="what stands where it was stays"),
        pytest.param({"new": "x"}, {"old": "x"}, {"new": "old"}, id="a renamed task keeps its thing"),
        pytest.param({"new": "y"}, {"old": "x"}, {}, id="another thing is another"),
        pytest.param({"new": None}, {"old": "x"}, {}, id="what is not known yet claims nothing"),
        pytest.param({"a": None, "b": "x"}, {"a": "x"}, {}, id="what is not known yet gives nothing away"),
        pytest.param({"a": "y", "b": "x"}, {"a": "x"}, {"b": "a"}, id="a task that wants another thing lets go"),
        pytest.param({"a": "y", "b": "x"}, {"a": "x", "b": "y"}, {"a": "b", "b": "a"}, id="two change places"),
        pytest.param({"a": "x", "b": "x"}, {"a": "x"}, {}, id="who has it keeps it"),
        pytest.param({"a": "x", "b": "x"}, {"old": "x"}, {"a": "old"}, id="of two that want it the first gets it"),
    ],
)
def test_a_record_follows_its_thing(
    wanted: dict[str, str | None], records: dict[str, str], expected: dict[str, str]
) -> None:
    assert found(wanted, recorded(**records)) == expected


def test_another_module_takes_nothing() -> None:
    assert found({"new": "x"}, recorded(old="x"), module="other") == {}


def test_a_record_of_a_module_that_is_no_more_moves_nowhere() -> None:
    assert found({"new": "x"}, {"old": Recorded("gone", result={"name": "x"})}) == {}


def test_a_record_says_where_it_was() -> None:
    after = followed(recorded(old="x", stays="y"), {"new": "old"})
    assert after == {"stays": recorded(s="y")["s"], "new": Recorded("named", result={"name": "x"}, moved_from="old")}


def test_a_record_that_is_pushed_out_is_not_lost() -> None:
    assert relocated({"a": "x", "gone": "y"}, {"a": "gone"}) == {"a": "y", "gone": "x"}
    assert relocated({"a": 1, "b": 2, "c": 3}, {"a": "b", "b": "a"}) == {"a": 2, "b": 1, "c": 3}


def test_once_followed_nothing_moves_again() -> None:
    records = recorded(a="x", b="y", gone="z")
    wanted: dict[str, str | None] = {"a": "z", "b": "x", "c": "y"}
    after = followed(records, found(wanted, records))
    assert {address: entry.result["name"] for address, entry in after.items()} == {"a": "z", "b": "x", "c": "y"}
    assert found(wanted, after) == {}
