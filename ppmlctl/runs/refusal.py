"""What a service that refused a run's pods says of it when it is asked from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """What was found out, and how to mend it where that is known."""

    said: str
    fix: str = ""
