"""What a command says to type next, typed word by word at a shell: every line of it works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flows.place import Place

pytestmark = pytest.mark.long

_COMMAND = re.compile(r"^\s+(?:.*recompute it: )?((?:cd .+ && )?ppmlctl .+)$", re.MULTILINE)
_DONE = {0, 2}
"""2: a plan has something to do."""


def commands_in(told: str) -> list[str]:
    """The lines to be typed, as they stand there."""
    return _COMMAND.findall(told)


def typed(place: Place, folder: Path, command: str) -> str:
    """What a shell of the user makes of it."""
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **place.variables, "PATH": scripts}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in _DONE, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def typed_with_all_that_follows(place: Place, folder: Path, told: str) -> list[str]:
    """Every command of a text, each followed by those that it suggests itself."""
    done = []
    for command in commands_in(told):
        done += [command, *typed_with_all_that_follows(place, folder, typed(place, folder, command))]
    return done


def test_the_next_steps_of_an_apply_work_also_from_another_folder_whose_name_has_a_space(place: Place) -> None:
    here = place.folder.parent
    moved = Place(place.folder.rename(here / "my env"), place.variables)
    apply = "ppmlctl apply --yes -f 'my env/ppml.yaml'"
    assert [one.split()[1] for one in typed_with_all_that_follows(moved, here, typed(moved, here, apply))] == [
        "'my",  # cd 'my env' && ppmlctl enclave measure
        "plan",
        "sandbox",
        "init",
        "plan",
    ]
    typed(moved, here, "ppmlctl sandbox up -f 'my env/ppml.yaml'")
    again = typed(moved, here, apply)
    assert commands_in(again)[-1] == "ppmlctl plan -f 'my env/cluster/ppml.yaml'"
    typed_with_all_that_follows(moved, here, again)
    typed(moved, here, "ppmlctl sandbox up -f 'my env/ppml.yaml'")
    destroyed = typed(moved, here, "ppmlctl destroy --yes -f 'my env/ppml.yaml'")
    assert typed_with_all_that_follows(moved, here, destroyed) == ["ppmlctl sandbox down -f 'my env/ppml.yaml'"]
