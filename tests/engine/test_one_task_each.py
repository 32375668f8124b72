"""Two tasks that want the same object are refused before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError, Location
from ppmlctl.engine.one_task_each import check_one_task_each
from ppmlctl.modules.registry import Registry
from ppmlctl.planning import ActionKind, Plan, PlannedAction, Task, Wanted
from ppmlctl.unknown import Unknown

SECRET = {"name": "s", "namespace": "ppml"}


def config(name: Any, namespace: str = "ppml") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"manifest": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}}


def check(*given: tuple[str, dict[str, Any]], condition: Callable[[Any], Any] | None = None) -> None:
    modules = Registry()
    tasks = [
        Task(
            f"task-{number}",
            kind,
            number,
            lambda _: None,
            condition=condition,
            location=Location("play.yaml", number, 3),
        )
        for number, (kind, _) in enumerate(given, start=1)
    ]
    arguments = zip(tasks, given, strict=True)
    wanted = {task.address: Wanted(task.address, modules[kind].Args(**args), {}) for task, (kind, args) in arguments}
    conditional = condition is not None
    actions = tuple(
        PlannedAction(task.address, task.module, ActionKind.CREATE, conditional=conditional) for task in tasks
    )
    check_one_task_each(tasks, Plan(actions, wanted=wanted), modules)


def test_one_object_of_two_tasks_is_told_at_the_second() -> None:
    with pytest.raises(InputError) as refused:
        check(("k8s_object", config("c")), ("k8s_object", config("c")))
    assert str(refused.value) == (
        "error[declared-twice]: two tasks declare the same thing\n"
        "  at   play.yaml:2:3\n"
        "  is   task-1 and task-2: ConfigMap ppml/c\n"
        "  why  each would undo the other's work, at every apply\n"
        "  fix  declare it in one of them, or give one another name"
    )


def test_modules_that_make_the_same_kind_share_its_names() -> None:
    with pytest.raises(InputError):
        check(("k8s_secret", SECRET), ("k8s_token", {**SECRET, "service_account": "spark"}))


def test_another_name_namespace_or_what_is_not_known_yet_is_fine() -> None:
    check(("k8s_object", config("c")), ("k8s_object", config("d")), ("k8s_object", config("c", "other")))
    check(("k8s_object", config(Unknown("a"))), ("k8s_object", config(Unknown("a"))))


def test_of_tasks_that_are_decided_during_apply_one_may_hold() -> None:
    check(("k8s_object", config("c")), ("k8s_object", config("c")), condition=lambda _: Unknown("a"))
