"""Modules by the name of their file; a module is imported when a playbook or lockfile first names it.

They lie in this folder, and those that only one flow needs in `modules/` of its folder.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ppmlctl import modules
from ppmlctl.modules.base import Module

_NOT_MODULES = {"base", "context", "registry"}
_FLOWS = Path(__file__).parents[1] / "flows"


@cache
def packages() -> Mapping[str, str]:
    """The package of each module: every file in such a folder but those that carry them or begin with `_`."""
    folders = {"ppmlctl.modules": list(modules.__path__)}
    folders |= {f"ppmlctl.flows.{path.parent.name}.modules": [str(path)] for path in sorted(_FLOWS.glob("*/modules"))}
    return {
        info.name: package
        for package, paths in folders.items()
        for info in pkgutil.iter_modules(paths)
        if info.name not in _NOT_MODULES and not info.name.startswith("_")
    }


def kinds() -> tuple[str, ...]:
    """The names of all modules, sorted."""
    return tuple(sorted(packages()))


@cache
def module(kind: str) -> Module[Any, Any]:
    """The module of this kind. Raises KeyError for a name that is none."""
    file = import_module(f"{packages()[kind]}.{kind}")
    found = [c for c in vars(file).values() if isinstance(c, type) and issubclass(c, Module) and c is not Module]
    (declared,) = [c for c in found if getattr(c, "kind", None) == kind]
    instance: Module[Any, Any] = declared()
    return instance


class Registry(Mapping[str, Module[Any, Any]]):
    """All modules as a mapping that imports what it is asked for."""

    def __getitem__(self, kind: str) -> Module[Any, Any]:
        return module(kind)

    def __iter__(self) -> Iterator[str]:
        return iter(kinds())

    def __len__(self) -> int:
        return len(kinds())
