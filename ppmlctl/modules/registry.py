"""Modules by the name of their file; a module is imported when a playbook or lockfile first names it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ppmlctl import modules
from ppmlctl.modules.base import Module

_NOT_MODULES = {"base", "context", "registry"}


@cache
def kinds() -> tuple[str, ...]:
    """The names of all modules, sorted: every file in this folder but those that carry them or begin with `_`."""
    names = (info.name for info in pkgutil.iter_modules(modules.__path__))
    return tuple(sorted(name for name in names if name not in _NOT_MODULES and not name.startswith("_")))


@cache
def module(kind: str) -> Module[Any, Any]:
    """The module of this kind. Raises KeyError for a name that is none."""
    if kind not in kinds():
        raise KeyError(kind)
    file = import_module(f"ppmlctl.modules.{kind}")
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
