"""Arguments by the names that an engine knows things by, so that record, plan and engine speak of the same thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ppmlctl.modules.base import Module
from ppmlctl.modules.context import Engines
from ppmlctl.planning import Results, Task


def placed(task: Task, module: Module[Any, Any], engines: Callable[[], Engines | None]) -> Task:
    """The task with such arguments, wherever they are asked for; as it was while there is no engine to ask."""
    if module.engine is None:
        return task

    def arguments(results: Results) -> Any:
        args, known = task.arguments(results), engines()
        return args if known is None else module.placed(known, args)

    return replace(task, arguments=arguments)
