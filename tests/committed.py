"""Files that are generated and committed: equal to what the code gives, or written anew on request."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRITE = "PPMLCTL_WRITE_GENERATED"


def assert_committed(name: str, text: str) -> None:
    """Compares a committed file with the text it should hold. `PPMLCTL_WRITE_GENERATED=1` writes it instead."""
    path = ROOT / name
    if os.environ.get(WRITE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{name} is stale: {WRITE}=1 make test"
