"""The codes of ppmlctl's own errors and warnings, as the source has them: what they say, why, and what to do.

`own_codes.json` is made from the code by the tests, as docs/errors.md is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from ppmlctl.explanations.explanation import Explanation
from ppmlctl.files import read_text

_CODE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PRINTED = re.compile(rf"\b(?:error|warning)\[({_CODE.pattern})\]")
_IN_JSON = re.compile(rf'"code": ?"({_CODE.pattern})"')


def explanation(code: str) -> Explanation | None:
    """Of a code alone; None for what is none."""
    told = _all().get(code) if _CODE.fullmatch(code) else None
    if told is None:
        return None
    says = "; or ".join(told["says"])
    cause = "; or ".join(told["why"]) or says
    remedy = (
        " ".join("; or ".join(told["fix"]).split()) or "go by what it says is there and where: each message names both"
    )
    return Explanation(f"{code}: {says}", cause, remedy, "ppmlctl docs/errors.md")


def printed_in(line: str) -> Iterator[Explanation]:
    """Of the codes that a line of ppmlctl's output holds, text or JSON."""
    for pattern in (_PRINTED, _IN_JSON):
        yield from (row for code in pattern.findall(line) if (row := explanation(code)) is not None)


def nearest_codes(text: str) -> list[str]:
    """The codes that a mistyped one may mean."""
    return difflib.get_close_matches(text, _all(), n=3, cutoff=0.75) if _CODE.fullmatch(text) else []


@cache
def _all() -> Mapping[str, Mapping[str, list[str]]]:
    told: Mapping[str, Mapping[str, list[str]]] = json.loads(read_text(Path(__file__).with_suffix(".json")))
    return told
