"""Edges that follow from what tasks make and read: whose pods read a Secret needs the task that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ppmlctl.modules.base import Module, SecretKey
from ppmlctl.planning import Task
from ppmlctl.unknown import Unknown


def with_secret_edges(tasks: Sequence[Task], modules: Mapping[str, Module[Any, Any]]) -> tuple[Task, ...]:
    """The tasks, each needing those that make what its pods read, as far as arguments say it before any result.

    A task that makes a secret and waits itself for whose pods read it keeps its order: those pods wait for the secret.
    """
    arguments = dict(_arguments(tasks, modules))
    made: dict[SecretKey, set[str]] = {}
    for task in tasks:
        for key in modules[task.module].makes_secrets(arguments[task.address]) if task.address in arguments else ():
            made.setdefault(key, set()).add(task.address)
    needs = {task.address: set(task.needs) for task in tasks}
    for task in tasks:
        for key in modules[task.module].reads_secrets(arguments[task.address]) if task.address in arguments else ():
            makers = made.get(key, set()) - {task.address}
            needs[task.address] |= {maker for maker in makers if task.address not in _all_needs(maker, needs)}
    return tuple(replace(task, needs=frozenset(needs[task.address])) for task in tasks)


def _arguments(tasks: Sequence[Task], modules: Mapping[str, Module[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """Of the tasks that have to do with Secrets, without any result."""
    results = {
        task.address: {name: Unknown(task.address) for name in modules[task.module].result_fields()} for task in tasks
    }
    for task in tasks:
        kind = type(modules[task.module])
        if kind.makes_secrets is not Module.makes_secrets or kind.reads_secrets is not Module.reads_secrets:
            yield task.address, task.arguments(results)


def _all_needs(address: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Everything that has to be done before the task, near and far."""
    found: set[str] = set()
    ahead = [address]
    while ahead:
        new = needs[ahead.pop()] - found
        found |= new
        ahead += new
    return found
