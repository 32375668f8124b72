"""The lockfile is input, not truth: a record is believed only where its module can have written it.

A result has the shape of its module's, and so have arguments by which a server is asked for a removal. Where a result
says that something is kept, it says what its own arguments give. What lies outside of the environment's folder is
believed only where the task of today names the same place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ppmlctl.diagnostics import Diagnostic, PpmlError, StateError
from ppmlctl.modules.base import Module
from ppmlctl.planning import Recorded, Task
from ppmlctl.planning.plan import check_module
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

_HANDLE = re.compile(r"(vault|file|kubernetes):(.+)", re.DOTALL)
_PATHS = ("path", "runs")
"""Fields of results that are paths of this machine, whatever the module."""

Modules = Mapping[str, Module[Any, Any]]


@dataclass(frozen=True)
class Believable:
    """Asked once, before anything is observed by the records. `lockfile` is how messages call the file."""

    recorded: Mapping[str, Recorded]
    intents: Mapping[str, Mapping[str, Any]]
    tasks: Iterable[Task]
    modules: Modules
    root: Path
    lockfile: str

    def check(self) -> None:
        """Raises StateError: `lockfile-altered`, and `task-module-changed` at the task."""
        tasks = {task.address: task for task in self.tasks}
        known = {address: entry for address, entry in self.recorded.items() if entry.module in self.modules}
        for address, entry in known.items():
            if address in tasks:
                check_module(tasks[address], entry)
        wrong = [found for address, entry in known.items() for found in self._wrong(address, entry)]
        wrong += [f"{address}: its intent {found}" for address, found in self._wrong_intents()]
        outside = {address: fields for address, entry in known.items() if (fields := self._outside(entry))}
        wrong += self._not_as_tasks_say(outside, tasks) if outside else []
        if wrong:
            raise StateError(*(_altered(found, self.lockfile) for found in wrong))

    def _wrong(self, address: str, entry: Recorded) -> Iterator[str]:
        module = self.modules[entry.module]
        misfit = _misfit(module, entry.result)
        if misfit:
            yield f"{address}: result.{misfit}"
            return
        if module.removal_asks and (misfit := _misfit_of_inputs(module, entry.inputs)):
            yield f"{address}: inputs.{misfit}"
            return
        places = _places(module, address, entry.inputs)
        if places is None:
            yield f"{address}: inputs lack what a {entry.module} has"
            return
        for field, place in places.items():
            found = _place(entry.result.get(field))
            if found not in (None, place):
                yield f"{address}: result.{field} is {found}, and its arguments give {place}"
        for field, value in entry.result.items():
            if isinstance(value, Secret) and not _HANDLE.fullmatch(value.handle or ""):
                yield f"{address}: result.{field} is kept where ppmlctl keeps nothing"

    def _wrong_intents(self) -> Iterator[tuple[str, str]]:
        for address, intent in self.intents.items():
            if "submit" in intent:
                names = [name for name in ("submit", "namespace") if not isinstance(intent.get(name), str)]
                names += [name for name in ("client", "module", "runs") if not isinstance(intent.get(name, ""), str)]
                if not isinstance(intent.get("attempt", 1), int) or ("client" in intent) != ("runs" in intent):
                    names.append("attempt" if "client" not in intent else "runs")
                yield from ((address, f"lacks `{name}`, or has another one than ppmlctl writes") for name in names)
                if not names and not self._is_of_a_workload(intent):
                    yield address, "names no module of workloads"
                if not names and not self._is_inside(intent.get("runs", "")):
                    yield address, "names runs outside of the environment's folder"

    def _is_of_a_workload(self, intent: Mapping[str, Any]) -> bool:
        named = intent.get("module")
        return named is None or (named in self.modules and self.modules[named].is_workload)

    def _outside(self, entry: Recorded) -> dict[str, str]:
        """What the record says is kept on this machine, but not in the environment's folder, by field."""
        fields = {*_PATHS, *(_places(self.modules[entry.module], "", entry.inputs) or ())}
        found = {}
        for field, value in entry.result.items():
            place = _place(value)
            if isinstance(value, Secret):
                path = place.removeprefix("file:") if place and place.startswith("file:") else ""
            else:
                path = place if place and field in fields else ""
            if path and not self._is_inside(path):
                found[field] = str(place)
        return found

    def _is_inside(self, path: str) -> bool:
        root = self.root.resolve()
        try:
            return (root / path).resolve().is_relative_to(root)
        except (OSError, RuntimeError, ValueError):
            return False

    def _not_as_tasks_say(self, outside: Mapping[str, Mapping[str, str]], tasks: Mapping[str, Task]) -> list[str]:
        results = {address: entry.result for address, entry in self.recorded.items()}
        results |= {
            address: {name: Unknown(address) for name in self.modules[task.module].result_fields()}
            for address, task in tasks.items()
            if address not in results
        }
        wrong = []
        for address, fields in outside.items():
            given: Mapping[str, str] = {}
            if address in tasks:
                module = self.modules[tasks[address].module]
                try:
                    args = tasks[address].arguments(results)
                    inputs = {name: getattr(args, name) for name in type(args).model_fields}
                    given = _places(module, address, inputs) or {}
                except PpmlError:
                    given = {}  # what is wrong with the task is told elsewhere; here it names no place
            wrong += [
                f"{address}: result.{field} is {place}, outside of the environment's folder, and no task says so"
                for field, place in fields.items()
                if given.get(field) != place
            ]
        return wrong


def _places(module: Module[Any, Any], address: str, inputs: Mapping[str, Any]) -> Mapping[str, str] | None:
    """None where the inputs are not those of this module."""
    try:
        return module.places(address, inputs)
    except (AttributeError, KeyError, TypeError):
        return None


def _misfit(module: Module[Any, Any], result: Mapping[str, Any]) -> str:
    """The first field that is missing or of another kind, with what is wrong."""
    fields = module.Result.model_fields
    for name, field in fields.items():
        if name not in result:
            if field.is_required():
                return f"{name} is missing"
            continue
        if isinstance(result[name], Secret) != (field.annotation is Secret) and result[name] is not None:
            return f"{name} is no value that {module.kind} writes"
    try:
        module.Result.model_validate({name: value for name, value in result.items() if name in fields})
    except ValidationError as error:
        return _first_fault(module, error)
    return ""


def _misfit_of_inputs(module: Module[Any, Any], inputs: Mapping[str, Any]) -> str:
    """The same of recorded arguments; digests stand there for secrets."""
    secrets = {name for name, field in module.Args.model_fields.items() if field.annotation is Secret}
    try:
        given = {name: value for name, value in inputs.items() if name not in secrets}
        module.Args.model_validate({**given, **dict.fromkeys(secrets, Unknown("the lockfile"))}, strict=True)
    except ValidationError as error:
        return _first_fault(module, error)
    return ""


def _first_fault(module: Module[Any, Any], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{first['loc'][0] if first['loc'] else 'as a whole'} is no value that {module.kind} writes"


def _place(value: Any) -> str | None:
    return value.handle if isinstance(value, Secret) else value if isinstance(value, str) else None


def _altered(found: str, lockfile: str) -> Diagnostic:
    return Diagnostic(
        "lockfile-altered",
        "the lockfile says what ppmlctl cannot have written",
        found=found,
        why="by a changed record a secret could be sent elsewhere, or other files be taken away",
        fix=f"restore it from version control:\ngit checkout -- {lockfile}",
    )
