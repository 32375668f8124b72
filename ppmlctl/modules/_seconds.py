"""Durations among a module's arguments."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from ppmlctl.spec import Duration


def _in_seconds(value: object) -> object:
    return Duration(value).seconds if isinstance(value, str) else value


Seconds = Annotated[int, BeforeValidator(_in_seconds)]
"""A number of seconds, or a duration as ppml.yaml spells it (`30m`)."""
