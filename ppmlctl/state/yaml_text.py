"""Plain data as YAML text whose bytes depend on the data alone, not on a library's version.

Block style, members in the given order, texts quoted as JSON strings wherever a plain scalar could be read as anything
else (YAML 1.2 core schema).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+()-]+)*")
_NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "~", ".inf", ".nan", "y", "n"}


def to_yaml(value: Mapping[str, Any], indent: int = 0) -> str:
    """The members of a mapping as block YAML, each line indented by `indent` spaces. Values are JSON-like."""
    return "".join(f"{' ' * indent}{line}\n" for name, member in value.items() for line in _member(name, member))


def _member(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield f"{scalar(name)}:"
        for key, member in value.items():
            yield from (f"  {line}" for line in _member(key, member))
    elif isinstance(value, list | tuple) and value:
        yield f"{scalar(name)}:"
        for member in value:
            yield f"  - {_flow(member)}"
    else:
        yield f"{scalar(name)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """Members of lists stand on one line each; JSON is YAML."""
    if isinstance(value, str):
        return scalar(value)
    return json.dumps(value, ensure_ascii=False)


def scalar(text: str) -> str:
    """A text as a plain scalar where nobody could misread it, else quoted."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT and not text.startswith((".", "-")):
        return text
    return json.dumps(text, ensure_ascii=False)
