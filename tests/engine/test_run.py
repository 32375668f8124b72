"""Executing plans: order, failures, retries, records, interruption; with modules that live in this file."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.engine import Recap, Status, run
from ppmlctl.engine.events import TaskProgress, TaskStarted, Warned
from ppmlctl.engine.observe import as_recorded, settled
from ppmlctl.engine.run import Run
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, Observed, Plan, Recorded, Removal, Wanted, make_plan
from ppmlctl.playbook import expand, parse
from ppmlctl.secret import Secret
from ppmlctl.state import Lockfile, LockStore, lock_store

WORLD: dict[str, str] = {}
"""What the throw-away engine holds, by name."""


class Args(ModuleArgs):
    name: str
    value: str = "v"
    secret: Secret | None = None


class Result(ModuleResult):
    name: str
    value: str
    first: str
    token: Secret | None = None


class Thing(Module[Args, Result]):
    """A named value in WORLD; its first letter is what others depend on."""

    kind = "thing"
    Args = Args
    Result = Result
    calls: ClassVar[list[str]] = []
    faults: ClassVar[dict[str, list[Exception]]] = {}

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        names = {one.address: one.args.name for one in wanted}
        return {a: Observed(fields={"value": WORLD[n]}) for a, n in names.items() if n in WORLD}

    def apply(self, ctx: Context, args: Args, observed: Observed) -> Result:
        self.calls.append(f"apply {ctx.address}")
        if self.faults.get(args.name):
            raise self.faults[args.name].pop(0)
        WORLD[args.name] = args.value
        return Result(name=args.name, value=args.value, first=args.value[:1])

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        self.calls.append(f"remove {ctx.address}")
        WORLD.pop(recorded.result["name"], None)


class Keeper(Thing):
    kind = "keeper"
    removal = Removal.KEEP


class Mirror(Thing):
    """Judges by what is there alone, as objects of a cluster do, and is foreseen to give what it wants."""

    kind = "mirror"

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {
            one.address: Observed(
                one.args.name in WORLD,
                foreseen={"name": one.args.name, "value": one.args.value, "first": str(one.args.value)[:1]},
                detail=WORLD.get(one.args.name) == one.args.value,
            )
            for one in wanted
            if isinstance(one.args.value, str)
        }

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        return Change(ActionKind.KEEP if observed.detail and recorded else ActionKind.UPDATE)


MODULES: dict[str, Any] = {"thing": Thing(), "keeper": Keeper(), "mirror": Mirror()}


@pytest.fixture(autouse=True)
def _empty_world() -> None:
    WORLD.clear()
    Thing.calls.clear()
    Thing.faults.clear()


class Bench:
    """One environment whose playbook changes from apply to apply."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Any] = []

    def plan(self, text: str) -> tuple[Plan, Run]:
        (self.folder / "play.yaml").write_text(text)
        tasks = expand(parse({self.folder / "play.yaml": "play.yaml"}, tuple(MODULES)), {}, MODULES).tasks
        store = LockStore.open(self.folder / "ppml.lock")
        recorded = store.lockfile.recorded(lambda handle: Secret(handle=handle))
        context = Context("env", "test", "cluster", None, None, None, store, recorded)  # type: ignore[arg-type]  # unused
        digest = bytes.hex
        wanted = as_recorded(tasks, MODULES, recorded, digest)
        plan = settled(wanted, MODULES, context, lambda found: make_plan(tasks, MODULES, found, recorded, digest))
        by_address = {task.address: task for task in tasks}
        return plan, Run(plan, by_address, MODULES, context, store, recorded, digest, self.events.append)

    def apply(self, text: str) -> Recap:
        return self.plan(text)[1].execute()

    def statuses(self, text: str) -> dict[str, str]:
        return {finished.action.address: finished.status.value for finished in self.apply(text).finished}

    @property
    def lockfile(self) -> bytes:
        return (self.folder / "ppml.lock").read_bytes()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(run, "RETRY_AFTER", (0.0, 0.0))
    return Bench(tmp_path)


CHAIN = """
- name: a
  thing: {name: a, value: VALUE}
  register: a
- name: b
  thing: {name: b, value: "{{ a.first }}"}
  register: b
- name: c
  thing: {name: c, value: "{{ b.first }}"}
"""


def test_tasks_run_in_order_and_are_recorded(bench: Bench) -> None:
    assert bench.statuses(CHAIN.replace("VALUE", "xyz")) == dict.fromkeys("abc", "changed")
    assert WORLD == {"a": "xyz", "b": "x", "c": "x"}
    assert Thing.calls == ["apply a", "apply b", "apply c"]


def test_a_task_behind_a_foreseen_result_is_looked_at_for_what_it_will_want(bench: Bench) -> None:
    chain = CHAIN.replace("thing", "mirror")
    bench.apply(chain.replace("VALUE", "xyz"))
    assert bench.statuses(chain.replace("VALUE", "uvw")) == dict.fromkeys("abc", "changed")
    assert WORLD == {"a": "uvw", "b": "u", "c": "u"}
    assert bench.statuses(chain.replace("VALUE", "uvw")) == dict.fromkeys("abc", "ok")


def test_a_second_apply_does_nothing_and_leaves_the_lockfile_as_it_is(bench: Bench) -> None:
    bench.apply(CHAIN.replace("VALUE", "xyz"))
    before = bench.lockfile
    Thing.calls.clear()
    assert bench.statuses(CHAIN.replace("VALUE", "xyz")) == dict.fromkeys("abc", "ok")
    assert (Thing.calls, bench.lockfile) == ([], before)


def test_an_equal_result_cuts_off_what_is_behind_it(bench: Bench) -> None:
    bench.apply(CHAIN.replace("VALUE", "xyz"))
    Thing.calls.clear()
    assert bench.statuses(CHAIN.replace("VALUE", "xaa")) == {"a": "changed", "b": "ok", "c": "ok"}
    assert Thing.calls == ["apply a"]


def test_another_result_goes_all_the_way(bench: Bench) -> None:
    bench.apply(CHAIN.replace("VALUE", "xyz"))
    assert bench.statuses(CHAIN.replace("VALUE", "yyy")) == dict.fromkeys("abc", "changed")
    assert bench.plan(CHAIN.replace("VALUE", "yyy"))[0].is_empty()


def test_a_failed_task_stops_only_those_that_need_it(bench: Bench) -> None:
    Thing.faults["a"] = [EngineError(Diagnostic("broken", "it is broken"))]
    recap = bench.apply(CHAIN.replace("VALUE", "x") + "- name: alone\n  thing: {name: alone}\n")
    assert recap.counts() == {"ok": 0, "changed": 1, "skipped": 2, "failed": 1, "simulated": 0, "forgotten": 0}
    assert {f.action.address: f.because for f in recap.finished if f.status is Status.SKIPPED} == {
        "b": "a failed",
        "c": "a failed",
    }
    assert not recap.succeeded
    assert bench.statuses(CHAIN.replace("VALUE", "x") + "- name: alone\n  thing: {name: alone}\n")["alone"] == "ok"


def test_a_transient_fault_is_tried_again(bench: Bench) -> None:
    Thing.faults["a"] = [TransientError(Diagnostic("busy", "try again")), TransientError(Diagnostic("busy", "again"))]
    assert bench.statuses("- name: a\n  thing: {name: a}\n") == {"a": "changed"}


def test_a_transient_fault_that_stays_fails(bench: Bench) -> None:
    Thing.faults["a"] = [TransientError(Diagnostic("busy", "try again")) for _ in range(9)]
    assert bench.statuses("- name: a\n  thing: {name: a}\n") == {"a": "failed"}
    assert len(Thing.calls) == 3


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 0.0), (7.0, 7.0), (3600.0, 60.0)])
def test_the_engine_says_how_long_to_wait(
    bench: Bench, asked: float, waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    Thing.faults["a"] = [TransientError(Diagnostic("busy", "too busy"), retry_after=asked)]
    _, execution = bench.plan("- name: a\n  thing: {name: a}\n")
    monkeypatch.setattr(execution.context.stopping, "wait", lambda _seconds: False)
    assert execution.execute().succeeded
    told = [event.text for event in bench.events if isinstance(event, TaskProgress)]
    assert told == [f"too busy; next try in {waited:g} s"]


def test_who_is_told_to_stop_tries_nothing_again(bench: Bench) -> None:
    Thing.faults["a"] = [TransientError(Diagnostic("busy", "too busy"))]
    _, execution = bench.plan("- name: a\n  thing: {name: a}\n")

    def stopping(event: Any) -> None:
        if isinstance(event, TaskProgress):
            execution.context.stopping.set()

    execution.listener = stopping
    (finished,) = execution.execute().finished
    assert (finished.status, finished.diagnostics[0].code) == (Status.FAILED, "busy")
    assert Thing.calls == ["apply a"]


def test_a_surprise_is_told_without_its_text(bench: Bench) -> None:
    Thing.faults["a"] = [RuntimeError("the password is hunter2")]
    recap = bench.apply("- name: a\n  thing: {name: a}\n")
    (finished,) = recap.finished
    said = "\n".join(finished.diagnostics[0].lines())
    assert "RuntimeError" in said
    assert "hunter2" not in said


def test_a_condition_that_fails_during_apply_frees_what_is_behind(bench: Bench) -> None:
    text = (
        CHAIN.replace("VALUE", "x")
        + "- name: d\n  when: '{{ a.first == \"z\" }}'\n  thing: {name: d}\n"
        + "- name: e\n  thing: {name: e}\n  needs: [d]\n"
    )
    recap = bench.apply(text)
    statuses = {finished.action.address: finished.status.value for finished in recap.finished}
    assert (statuses["d"], statuses["e"]) == ("skipped", "changed")
    assert recap.succeeded
    assert "d" not in WORLD


def test_a_renamed_task_makes_its_thing_again(bench: Bench) -> None:
    bench.apply("- name: a\n  thing: {name: same}\n")
    bench.apply("- name: b\n  thing: {name: same}\n")
    assert WORLD == {"same": "v"}
    assert bench.plan("- name: b\n  thing: {name: same}\n")[0].is_empty()


def test_a_file_that_cannot_be_written_is_told_as_such(bench: Bench) -> None:
    Thing.faults["a"] = [PermissionError(13, "Permission denied", "keys/a")]
    (finished,) = bench.apply("- name: a\n  thing: {name: a}\n").finished
    assert finished.diagnostics[0].code == "file-unusable"
    assert finished.diagnostics[0].found == "keys/a: Permission denied"


def test_removed_tasks_go_in_reverse_order_and_nothing_else(bench: Bench) -> None:
    bench.apply(CHAIN.replace("VALUE", "x"))
    Thing.calls.clear()
    bench.apply("- name: a\n  thing: {name: a, value: x}\n  register: a\n")
    assert Thing.calls == ["remove c", "remove b"]
    assert WORLD == {"a": "x"}


def test_what_is_kept_leaves_the_lockfile_and_stays(bench: Bench) -> None:
    bench.apply("- name: k\n  keeper: {name: k}\n")
    recap = bench.apply("- name: a\n  thing: {name: a}\n")
    assert (recap.counts()["changed"], recap.counts()["forgotten"]) == (1, 1)
    assert WORLD == {"k": "v", "a": "v"}
    assert b"keeper" not in bench.lockfile


def test_a_crash_between_effect_and_record_is_adopted(bench: Bench) -> None:
    WORLD["a"] = "v"
    plan, execution = bench.plan("- name: a\n  thing: {name: a}\n")
    assert plan.actions[0].reasons == ("adopts what is there already",)
    execution.execute()
    assert bench.plan("- name: a\n  thing: {name: a}\n")[0].is_empty()


def test_new_edges_and_protection_of_kept_tasks_are_recorded(bench: Bench) -> None:
    both = "- name: a\n  thing: {name: a}\n- name: b\n  thing: {name: b}\n"
    bench.apply(both)
    bench.apply(both + "  needs: [a]\n  protect: true\n")
    assert b"protect: true" in bench.lockfile
    assert b"needs:\n      - a" in bench.lockfile


def test_an_interrupt_finishes_and_records_what_runs(bench: Bench) -> None:
    plan, execution = bench.plan(CHAIN.replace("VALUE", "x"))
    started = threading.Event()

    def interrupting(event: Any) -> None:
        if not started.is_set():
            started.set()
            raise KeyboardInterrupt

    execution.listener = interrupting
    recap = execution.execute()
    assert recap.interrupted
    assert not recap.succeeded
    assert recap.counts()["failed"] == 0
    assert bench.apply(CHAIN.replace("VALUE", "x")).succeeded
    assert len(plan.actions) == 3


def test_what_runs_is_recorded_however_often_it_is_interrupted(bench: Bench) -> None:
    _, execution = bench.plan("- name: a\n  thing: {name: a}\n- name: b\n  thing: {name: b}\n")

    def impatient(event: Any) -> None:
        if isinstance(event, Warned) or (isinstance(event, TaskStarted) and event.action.address == "b"):
            raise KeyboardInterrupt

    execution.listener = impatient
    with pytest.raises(KeyboardInterrupt):
        execution.execute()
    assert WORLD == {"a": "v"}
    assert LockStore.open(bench.folder / "ppml.lock").lockfile.tasks.keys() == {"a"}


def test_a_secret_input_is_recorded_as_a_keyed_digest_alone(bench: Bench) -> None:
    text = "- name: a\n  thing: {name: a, secret: hunter2}\n"
    bench.apply(text)
    assert b"hunter2" not in bench.lockfile
    assert bench.plan(text)[0].is_empty()
    assert bench.plan(text.replace("hunter2", "hunter3"))[0].actions[0].fields[0].path == "secret"


def test_a_result_with_a_secret_that_is_kept_nowhere_is_refused(tmp_path: Path) -> None:
    store = LockStore(tmp_path / "ppml.lock", Lockfile("env"))
    with pytest.raises(ValueError, match="without a handle"):
        store.record("a", Recorded("thing", result={"token": Secret("hidden")}))


def test_a_task_starts_only_when_what_it_needs_is_durably_recorded(bench: Bench) -> None:
    _, execution = bench.plan(CHAIN.replace("VALUE", "x"))
    at_start: dict[str, bytes] = {}

    def looking(event: Any) -> None:
        if isinstance(event, TaskStarted):
            at_start[event.action.address] = bench.lockfile if event.action.address != "a" else b""

    execution.listener = looking
    execution.execute()
    assert b"\n  a:\n" in at_start["b"]
    assert b"\n  b:\n" in at_start["c"]


def test_tasks_that_need_not_wait_for_each_other_share_durable_writes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[bytes] = []
    monkeypatch.setattr(lock_store, "write_atomic", lambda _path, text: writes.append(text))
    bench.apply("".join(f"- name: t{number}\n  thing: {{name: t{number}}}\n" for number in range(100)))
    assert len(writes) < 50
    assert writes[-1].count(b"module: thing") == 100


def test_a_record_that_cannot_be_written_fails_its_task_and_stops_those_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _text: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "ppml.lock")

    monkeypatch.setattr(lock_store, "write_atomic", full)
    recap = bench.apply(CHAIN.replace("VALUE", "x"))
    assert [one.status for one in recap.finished] == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]
    assert recap.finished[0].diagnostics[0].found == "ppml.lock: No space left on device"
