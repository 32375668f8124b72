"""How the commands show what they found: aligned rows for people, one object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from ppmlctl.cli.style import Style

Value = str | int | bool | None | Sequence[str] | Sequence[Mapping[str, str]] | Mapping[str, str]


def show(told: Mapping[str, Value], *, as_json: bool) -> None:
    """Prints what is told. Lists are joined, nested objects are for machines only."""
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    style, width = Style.of(sys.stdout), max(len(name) for name in told)
    for name, value in told.items():
        if not isinstance(value, Mapping):
            print(f"{style.dim(f'{name:<{width}}')}  {_text(value)}")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "-" if value is None else str(value)
