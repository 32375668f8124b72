"""Options that many commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How results are shown."""

    TEXT = "text"
    JSON = "json"


As = Annotated[Output, typer.Option("--output", "-o", help="text for people, json for machines.")]
File = Annotated[Path, typer.Option("--file", "-f", help="The environment's file.", show_default=True)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

DEFAULT_FILE = Path("ppml.yaml")
