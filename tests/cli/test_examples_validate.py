"""Every example passes `ppmlctl validate`, playbooks and expressions among it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.cli.main import run

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted([*EXAMPLES.glob("reference/*.yaml"), *EXAMPLES.glob("*/ppml.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_example_is_valid(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "-f", str(file)]) == 0, capsys.readouterr().err
