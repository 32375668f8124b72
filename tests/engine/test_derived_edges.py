"""Who reads a Secret in its pods needs the task that makes it, whether a playbook says so or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ppmlctl.engine.derived_edges import with_secret_edges
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult, SecretKey
from ppmlctl.planning import Task


class ThingArgs(ModuleArgs):
    makes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


class ThingResult(ModuleResult):
    pass


class Thing(Module[ThingArgs, ThingResult]):
    kind = "thing"
    Args = ThingArgs
    Result = ThingResult

    def makes_secrets(self, args: ThingArgs) -> Iterable[SecretKey]:
        return [SecretKey("ppml", name, "key") for name in args.makes]

    def reads_secrets(self, args: ThingArgs) -> Iterable[SecretKey]:
        return [SecretKey("ppml", name, "key") for name in args.reads]


class Other(Module[ThingArgs, ThingResult]):
    kind = "other"
    Args = ThingArgs
    Result = ThingResult


MODULES: dict[str, Module[Any, Any]] = {"thing": Thing(), "other": Other()}


def task(address: str, *, makes: str = "", reads: str = "", needs: str = "", module: str = "thing") -> Task:
    args = ThingArgs(makes=tuple(makes.split()), reads=tuple(reads.split()))
    return Task(address, module, 0, lambda _: args, needs=frozenset(needs.split()))


def edges(*tasks: Task) -> dict[str, set[str]]:
    return {one.address: set(one.needs) for one in with_secret_edges(tasks, MODULES)}


def test_who_reads_a_secret_needs_all_that_make_it_and_what_it_said() -> None:
    found = edges(
        task("pod", reads="password token", needs="space"),
        task("space", module="other"),
        task("secret", makes="password"),
        task("token", makes="token other"),
        task("copy", makes="password"),
        task("bystander", makes="unread", module="other"),
    )
    assert found["pod"] == {"space", "secret", "token", "copy"}
    assert [name for name, needs in found.items() if needs] == ["pod"]


def test_what_makes_and_reads_a_secret_does_not_need_itself() -> None:
    assert edges(task("both", makes="password", reads="password")) == {"both": set()}


def test_a_secret_that_waits_for_its_reader_makes_no_circle() -> None:
    """Near or far, said or derived: the pods wait for the secret, as they did."""
    found = edges(
        task("pod", reads="late"),
        task("between", needs="pod", module="other"),
        task("secret", makes="late", needs="between"),
    )
    assert found == {"pod": set(), "between": {"pod"}, "secret": {"between"}}
    crossed = edges(task("a", makes="x", reads="y"), task("b", makes="y", reads="x"))
    assert crossed == {"a": {"b"}, "b": set()}


def test_a_secret_that_nobody_makes_is_no_edge() -> None:
    assert edges(task("pod", reads="missing")) == {"pod": set()}
