"""The walk-throughs in docs/ are run as they stand there, in a copy of the quickstart."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from committed import ROOT
from flows.place import Place, make_place

from ppmlctl.cli.app import app
from ppmlctl.sandbox import process

WALKS = [page for page in sorted((ROOT / "docs").glob("*.md")) if "```console" in page.read_text(encoding="utf-8")]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ANYTHING, _MORE = "…", "> "
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
            first, *lines = step.splitlines()
            more = list(itertools.takewhile(lambda line: line.startswith(_MORE), lines))
            command = "\n".join([first, *(line.removeprefix(_MORE) for line in more)])
            yield command, "".join(f"{line}\n" for line in lines[len(more) :])


def _pattern(output: str) -> str:
    """A line that is an ellipsis stands for any lines; one inside a line for any text in it."""
    lines = (
        r"(?:.*\n)*?" if line == _ANYTHING else re.escape(line).replace(_ANYTHING, ".*") + "\n"
        for line in output.splitlines()
    )
    return "".join(lines)


def _first(wrong: list[tuple[str, str, str]]) -> str:
    return "".join(f"\n$ {command}\n--- said\n{said}--- printed\n{got}" for command, said, got in wrong[:1])


def commands_of(group: Any, path: str) -> Iterator[str]:
    """Each command below a group, as it is typed."""
    for name, child in group.commands.items():
        if hasattr(child, "commands"):
            yield from commands_of(child, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.long
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
    assert not wrong, _first(wrong) + done.stderr
    assert done.returncode == 0, done.stderr
    assert len(printed) == len(steps) + 1


@pytest.mark.long
def test_the_readme_shows_the_plan_as_it_is(place: Place) -> None:
    place.apply()
    place.edit("log_level: error", "log_level: debug")
    ((command, said),) = _steps(ROOT / "README.md")
    assert command == "ppmlctl plan -f examples/quickstart/ppml.yaml"
    assert re.match(_pattern(said), place.run("plan").stdout)


def test_the_walk_through_shows_every_command_of_the_trust_chain() -> None:
    shown = [command for command, _ in _steps(ROOT / "docs" / "trust-chain.md")]
    every = list(commands_of(typer.main.get_command(app), "ppmlctl"))
    of_trust = [name for name in every if name.split()[1] in ("enclave", "attest", "ehsm", "explain")]
    assert len(of_trust) > len(("enclave", "attest", "ehsm", "explain"))
    assert [name for name in of_trust if not any(f"{name} " in f"{step} " for step in shown)] == []
