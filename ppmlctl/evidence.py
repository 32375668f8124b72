"""How strongly a statement about the environment is supported: one scale everywhere."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """From strong to weak. `verified`: recomputed here, or a quote checked here; `reported`: a log line says so."""

    VERIFIED = "verified"
    REPORTED = "reported"
    SIMULATED = "simulated"
    NOT_VERIFIED = "not verified"
