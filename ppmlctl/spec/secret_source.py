"""Where a secret value comes from. ppml.yaml is committed, so it never holds the value."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ppmlctl.spec.names import FilePath, VariableName
from ppmlctl.spec.section import Choice


class SecretSource(Choice):
    """One of `vault`, `env` and `file`."""

    alternatives: ClassVar[tuple[str, ...]] = ("vault", "env", "file")

    vault: str | None = Field(None, description="An entry of the vault.", min_length=1)
    env: VariableName | None = Field(None, description="A variable of ppmlctl's environment.")
    file: FilePath | None = Field(None, description="A file with the value; one newline at its end does not count.")
