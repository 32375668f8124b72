"""Where a value stands inside a document: a tuple of keys and indices, and the way it is written in messages."""

from __future__ import annotations

import re

KeyPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[\w-]+")


def dotted(path: KeyPath) -> str:
    """`("workloads", 0, "spark", "conf", "a.b")` as `workloads[0].spark.conf['a.b']`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text
