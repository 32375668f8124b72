"""Every key of a Secret that pods read must be made by a task: a pod that waits for one waits for ever."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules.base import Module, SecretKey
from ppmlctl.planning import Task, Wanted


def check_secret_references(
    tasks: Sequence[Task], wanted: Mapping[str, Wanted], modules: Mapping[str, Module[Any, Any]]
) -> None:
    """Raises InputError at the task that reads a key which no task makes."""
    looked_at = [(task, wanted[task.address].args) for task in tasks if task.address in wanted]
    made = {key for task, args in looked_at for key in modules[task.module].makes_secrets(args)}
    faults = [
        _fault(task, key, made)
        for task, args in looked_at
        for key in sorted(set(modules[task.module].reads_secrets(args)) - made)
    ]
    if faults:
        raise InputError(*faults)


def _fault(task: Task, key: SecretKey, made: Iterable[SecretKey]) -> Diagnostic:
    spelled = {f"{one.name}:{one.key}" for one in made if one.namespace == key.namespace}
    near = difflib.get_close_matches(f"{key.name}:{key.key}", sorted(spelled), n=1)
    return Diagnostic(
        "secret-key-unmade",
        "a pod reads a key of a secret that no task makes",
        found=f"{task.address}: key `{key.key}` of secret `{key.name}` in namespace {key.namespace}",
        why="the pod would wait for it for ever (CreateContainerConfigError)",
        fix=f"did you mean `{near[0]}`?" if near else "make it by a k8s_secret task, or set `optional: true`",
        at=task.location,
    )
