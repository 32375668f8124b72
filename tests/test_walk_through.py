"""The walk-throughs in docs/ are run as they stand there, in a copy of the quickstart."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from committed import ROOT
from flows.place import Place, make_place

from ppmlctl.sandbox import process

WALKS = [page for page in sorted((ROOT / "docs").glob("*.md")) if "```console" in page.read_text(encoding="utf-8")]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ANYTHING = "…"
_END = "-- end of a command --"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = make_place(tmp_path)
    yield made
    process.down(made.sandbox)


def _steps(page: Path) -> Iterator[tuple[str, str]]:
    """Each command with what it is said to print."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            yield command, output


def _pattern(output: str) -> str:
    """A line that is an ellipsis stands for any lines; one inside a line for any text in it."""
    lines = (
        r"(?:.*\n)*?" if line == _ANYTHING else re.escape(line).replace(_ANYTHING, ".*") + "\n"
        for line in output.splitlines()
    )
    return "".join(lines)


@pytest.mark.parametrize("page", WALKS, ids=lambda page: page.stem)
def test_a_walk_through_does_what_it_says(page: Path, place: Place) -> None:
    steps = list(_steps(page))
    environment = {**os.environ, **place.variables, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "\n".join(["set -e", *(f"{command}\necho '{_END}'" for command, _ in steps)])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=place.folder,
        env={**environment, "XDG_CACHE_HOME": str(place.folder / ".cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    printed = done.stdout.split(f"{_END}\n")
    wrong = [
        (command, expected, got)
        for (command, expected), got in zip(steps, printed, strict=False)
        if not re.fullmatch(_pattern(expected), got)
    ]
    assert wrong == [], done.stderr
    assert done.returncode == 0, done.stderr
    assert len(printed) == len(steps) + 1


def test_there_are_walk_throughs_and_they_show_every_command_for_enclaves() -> None:
    from ppmlctl.cli.enclave import app

    text = (ROOT / "docs" / "trust-chain.md").read_text(encoding="utf-8")
    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert [name for name in names if f"$ ppmlctl enclave {name} " not in text] == ["measure"], (
        "the recap's own command"
    )
