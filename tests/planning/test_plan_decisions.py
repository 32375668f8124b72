"""What a plan says, from tasks, observations and the lockfile alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.diagnostics import InputError, StateError
from ppmlctl.planning import (
    NOT_LOOKED_AT,
    ActionKind,
    Change,
    Observed,
    Plan,
    Planner,
    Recorded,
    Removal,
    Task,
    Wanted,
    decide,
    make_plan,
)
from ppmlctl.planning.protections import is_on
from ppmlctl.unknown import Unknown


class Thing:
    """A declaration whose result is the value that it was given."""

    kind = "thing"
    is_workload = False
    removal = Removal.DELETE
    is_check = False

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({"it is guarded"} if is_on(inputs.get("guard")) else ())

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        return decide(wanted, observed, recorded)

    def result_fields(self) -> list[str]:
        return ["value"]

    def removal_of(self, recorded: Recorded) -> Removal:
        return self.removal

    def identity(self, args: Any) -> None:
        return None

    def recorded_identity(self, recorded: Recorded) -> None:
        return None

    def kept_result(self, args: Any, recorded: Recorded) -> Mapping[str, Any]:
        return recorded.result

    def notes(self, args: Any) -> tuple[str, ...]:
        return ()

    def fingerprint(self, args: Any, digest: Any) -> Mapping[str, Any]:
        return dict(args)

    def whole_inputs(self, args: Any, digest: Any) -> Mapping[str, Any]:
        return dict(args)


class Job(Thing):
    kind = "job"
    is_workload = True


MODULES = {"thing": Thing(), "job": Job()}


def task(address: str, *sources: str, order: int = 0, module: str = "thing", **constants: Any) -> Task:
    """A task that reads the results of its sources."""

    def arguments(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        return constants | {f"of_{source}": results[source]["value"] for source in sources}

    reads = frozenset(sources)
    return Task(address, module, order, arguments, sources=reads, needs=reads)


def applied(plan: Plan, values: Mapping[str, Any] | None = None) -> tuple[dict[str, Recorded], dict[str, Observed]]:
    """The lockfile and the world after this plan, as an engine would leave them."""
    recorded: dict[str, Recorded] = {}
    results: dict[str, Any] = {}
    for action in plan.actions:
        if action.action is ActionKind.DELETE:
            continue
        value = (values or {}).get(action.address, f"result of {action.address}")
        results[action.address] = value
        inputs = {
            name: results[member.source] if isinstance(member, Unknown) else member
            for name, member in plan.wanted[action.address].inputs.items()
        }
        recorded[action.address] = Recorded(action.module, inputs, {"value": value}, action.needs)
    return recorded, {address: Observed(fields=entry.result) for address, entry in recorded.items()}


def kinds(plan: Plan) -> dict[str, str]:
    return {action.address: action.action.value for action in plan.actions}


def test_a_first_plan_creates_everything_in_the_order_of_needs() -> None:
    plan = make_plan([task("b", "a", order=0), task("a", order=1)], MODULES, {}, {})
    assert [(a.address, a.action) for a in plan.actions] == [("a", ActionKind.CREATE), ("b", ActionKind.CREATE)]
    assert plan.actions[1].fields[0].after == Unknown("a")


def test_a_plan_after_apply_is_empty() -> None:
    tasks = [task("a"), task("b", "a"), task("c", "b", "a")]
    recorded, world = applied(make_plan(tasks, MODULES, {}, {}))
    assert make_plan(tasks, MODULES, world, recorded).is_empty()


def test_a_changed_producer_makes_its_consumers_conditional() -> None:
    recorded, world = applied(make_plan([task("a", size=1), task("b", "a"), task("c", "b")], MODULES, {}, {}))
    plan = make_plan([task("a", size=2), task("b", "a"), task("c", "b")], MODULES, world, recorded)
    assert plan.summary() == {
        "create": 0, "update": 1, "replace": 0, "delete": 0, "run": 0, "keep": 0, "conditional": 2, "forget": 0,
    }  # fmt: skip
    assert plan.actions[1].because_of == ("a",)
    assert plan.actions[2].reasons == ("if b changes",)


def test_what_nobody_looked_at_is_not_called_missing() -> None:
    known, behind = task("a", size=1), task("b", "a")
    plan = make_plan([known, behind], MODULES, {"a": NOT_LOOKED_AT, "b": NOT_LOOKED_AT}, {})
    assert [action.reasons for action in plan.actions] == [("not looked at before apply",), ("unknown until apply",)]
    assert make_plan([known], MODULES, {}, {}).actions[0].reasons == ("not there yet",)
    assert make_plan([known, behind], MODULES, {"b": Observed()}, {}).actions[1].reasons == (
        "adopts what is there already",
    )


def test_what_was_there_before_is_forgotten_and_not_counted_as_deleted() -> None:
    before = {"a": Recorded("thing", {}, {"existed_before": True}), "b": Recorded("thing", {}, {"value": "b"})}
    plan = make_plan([], MODULES, {}, before)
    assert {action.address: action.removal for action in plan.actions} == {"a": Removal.KEEP, "b": Removal.DELETE}
    assert (plan.summary()["delete"], plan.summary()["forget"]) == (1, 1)


def test_a_protection_that_is_dropped_is_a_warning_of_its_own() -> None:
    recorded, world = applied(make_plan([task("a", guard=True), task("b", guard=True)], MODULES, {}, {}))
    kept = make_plan([task("a", guard=True), task("b", "a", guard=True)], MODULES, world, recorded)
    assert kept.warnings == ()
    (warning,) = make_plan([task("a", guard=False), task("b", guard=True)], MODULES, world, recorded).warnings
    assert list(warning.lines()) == [
        "warning[protection-dropped]: a protection that is in force is dropped",
        "  is   a: it is guarded",
        "  why  the last apply made it so, and nothing that comes after this one is held to it",
    ]
    assert make_plan([task("a", guard=True)], MODULES, world, recorded).warnings == ()


def test_a_check_that_goes_while_other_things_stay_is_a_warning_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, world = applied(make_plan([task("a"), task("b", guard=True)], MODULES, {}, {}))
    monkeypatch.setattr(Thing, "is_check", True)
    (warning,) = make_plan([task("a")], MODULES, world, recorded).warnings
    assert warning.found == "b: it is guarded"
    assert make_plan([], MODULES, world, recorded).warnings == ()


def test_what_a_producer_foresees_decides_its_consumers_at_once() -> None:
    recorded, world = applied(make_plan([task("a", size=1), task("b", "a")], MODULES, {}, {}))
    same = world | {"a": Observed(fields=world["a"].fields, foreseen={"value": "result of a"})}
    assert kinds(make_plan([task("a", size=2), task("b", "a")], MODULES, same, recorded)) == {
        "a": "update",
        "b": "keep",
    }
    other = world | {"a": Observed(fields=world["a"].fields, foreseen={"value": "another"})}
    plan = make_plan([task("a", size=2), task("b", "a")], MODULES, other, recorded)
    assert kinds(plan) == {"a": "update", "b": "update"}
    assert not plan.actions[1].conditional
    assert [(f.path, f.before, f.after) for f in plan.actions[0].outcome] == [("value", "result of a", "another")]


def test_drift_is_an_update_with_its_path_and_both_values() -> None:
    recorded, world = applied(make_plan([task("a")], MODULES, {}, {}))
    plan = make_plan([task("a")], MODULES, world | {"a": Observed(fields={"value": "touched"})}, recorded)
    (field,) = plan.actions[0].fields
    assert (plan.actions[0].action, field.path, field.before, field.after) == (
        ActionKind.UPDATE,
        "value",
        "touched",
        "result of a",
    )


def test_what_is_gone_is_created_again() -> None:
    recorded, _ = applied(make_plan([task("a")], MODULES, {}, {}))
    plan = make_plan([task("a")], MODULES, {}, recorded)
    assert plan.actions[0].reasons == ("was made before, is not there any more",)


def test_a_workload_runs_and_is_never_created() -> None:
    assert kinds(make_plan([task("j", module="job")], MODULES, {}, {})) == {"j": "run"}


def test_removed_tasks_are_deleted_in_reverse_of_their_recorded_edges() -> None:
    recorded, world = applied(make_plan([task("a"), task("b", "a"), task("c", "b")], MODULES, {}, {}))
    plan = make_plan([task("a")], MODULES, world, recorded)
    assert [(a.address, a.action.value) for a in plan.actions] == [("c", "delete"), ("b", "delete"), ("a", "keep")]


def test_a_protected_thing_is_not_removed() -> None:
    with pytest.raises(StateError) as caught:
        make_plan([], MODULES, {}, {"a": Recorded("thing", protect=True)})
    assert caught.value.diagnostics[0].code == "task-protected"


def test_a_task_that_became_another_kind_of_thing_is_refused() -> None:
    with pytest.raises(StateError) as caught:
        make_plan([task("a", module="job")], MODULES, {}, {"a": Recorded("thing")})
    assert caught.value.diagnostics[0].found == "a was made by thing, and is a job now"


def test_a_cycle_names_its_tasks() -> None:
    with pytest.raises(InputError) as caught:
        make_plan([task("a", "c"), task("b", "a"), task("c", "b"), task("d", "c")], MODULES, {}, {})
    assert caught.value.diagnostics[0].found == "a → c → b → a"


@st.composite
def graphs(draw: st.DrawFn) -> list[Task]:
    """Tasks that may read those before them."""
    size = draw(st.integers(1, 12))
    return [
        task(f"t{n}", *sorted(draw(st.sets(st.sampled_from([f"t{m}" for m in range(n)]))) if n else ()), order=n)
        for n in range(size)
    ]


@given(graphs(), st.randoms(use_true_random=False))
def test_any_order_of_the_same_tasks_gives_the_same_plan(tasks: list[Task], shuffler: random.Random) -> None:
    shuffled = list(tasks)
    shuffler.shuffle(shuffled)
    assert make_plan(tasks, MODULES, {}, {}).actions == make_plan(shuffled, MODULES, {}, {}).actions


@given(graphs())
def test_every_plan_after_its_apply_is_empty(tasks: list[Task]) -> None:
    recorded, world = applied(make_plan(tasks, MODULES, {}, {}))
    assert make_plan(tasks, MODULES, world, recorded).is_empty()


@given(graphs(), st.data())
def test_removing_tasks_deletes_exactly_them_in_reverse_order(tasks: list[Task], data: st.DataObject) -> None:
    recorded, world = applied(make_plan(tasks, MODULES, {}, {}))
    kept = tasks[: data.draw(st.integers(0, len(tasks)))]
    plan = make_plan(kept, MODULES, world, recorded)
    deleted = [action.address for action in plan.actions if action.action is ActionKind.DELETE]
    assert set(deleted) == {t.address for t in tasks} - {t.address for t in kept}
    place = {address: number for number, address in enumerate(deleted)}
    assert all(place[a] < place[n] for a in deleted for n in recorded[a].needs if n in place)
    assert len(plan.acting()) == len(deleted)


# Rotation


class Key(Thing):
    """One that can be made anew."""

    kind = "key"

    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change:
        return Change(ActionKind.REPLACE, ("asked for",))


KEYS = {**MODULES, "key": Key()}


def test_what_is_rotated_acts_though_nothing_changed_and_what_reads_it_waits_for_the_result() -> None:
    tasks = [task("a", module="key"), task("b", "a"), task("c", order=2)]
    recorded, world = applied(make_plan(tasks, KEYS, {}, {}))
    plan = Planner(KEYS, world, recorded, lambda _: None, frozenset({"a"})).plan(tasks)
    assert kinds(plan) == {"a": "replace", "b": "update", "c": "keep"}
    assert [action.rotates for action in plan.actions] == [True, False, False]
    assert [action.conditional for action in plan.actions] == [False, True, False]


def test_what_is_rotated_shows_nothing_of_the_old_one_to_those_behind_it() -> None:
    tasks = [task("a", module="key"), task("b", "a")]
    recorded, world = applied(make_plan(tasks, KEYS, {}, {}))
    foreseen = {address: Observed(fields={}, foreseen={"value": "old"}) for address in world}
    plan = Planner(KEYS, foreseen, recorded, lambda _: None, frozenset({"a"})).plan(tasks)
    assert kinds(plan)["b"] == "update"


def test_a_rotation_of_what_was_never_made_is_its_creation() -> None:
    plan = Planner(KEYS, {}, {}, lambda _: None, frozenset({"a"})).plan([task("a", module="key")])
    assert [(action.action, action.rotates) for action in plan.actions] == [(ActionKind.CREATE, False)]


def test_what_is_foreseen_from_old_arguments_is_not_shown_while_new_ones_are_not_known() -> None:
    tasks = [task("a", size=1), task("b", "a"), task("c", "b")]
    recorded, world = applied(make_plan(tasks, MODULES, {}, {}))
    foreseen = {a: Observed(fields=one.fields, foreseen=one.fields if a == "b" else {}) for a, one in world.items()}
    plan = make_plan([task("a", size=2), *tasks[1:]], MODULES, foreseen, recorded)
    assert kinds(plan) == {"a": "update", "b": "update", "c": "update"}


def test_a_warning_that_was_observed_is_in_the_plan_even_where_nothing_is_to_be_done() -> None:
    tasks = [task("one", value=1)]
    recorded = {"one": Recorded("thing", {"value": 1}, {"value": 1})}
    observations = {"one": Observed(fields={"value": 1}, notes=("it ends soon",))}
    plan = make_plan(tasks, MODULES, observations, recorded, bytes.hex)
    assert (plan.is_empty(), plan.notes) == (True, ("it ends soon",))
