"""What is printed arrives, or goes nowhere quietly, whatever reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ppml.yaml"


@pytest.fixture
def plan(tmp_path: Path) -> list[str]:
    for name in ("ppml.yaml", "base"):
        (tmp_path / name).symlink_to(QUICKSTART.parent / name)
    return [sys.executable, "-m", "ppmlctl", "plan", "-f", str(tmp_path / "ppml.yaml")]


def test_a_terminal_that_knows_ascii_alone_gets_a_plan(plan: list[str]) -> None:
    done = subprocess.run(plan, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"")
    assert b"Plan: " in done.stdout


def test_a_reader_that_goes_is_no_fault(plan: list[str]) -> None:
    with subprocess.Popen(plan, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""


def test_colours_are_for_terminals_alone(plan: list[str]) -> None:
    assert b"\x1b[" not in subprocess.run(plan, capture_output=True, check=False).stdout
