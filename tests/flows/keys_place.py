"""The example with keys, a data key and secrets at EHSM, whose values are all made at random."""

from __future__ import annotations

import shutil
from pathlib import Path

from flows.place import Place

from ppmlctl.sandbox import process

KEYS = Path(__file__).parents[2] / "examples" / "reference" / "kms-keys.yaml"


def keys_place(folder: Path) -> Place:
    """A fresh copy of it."""
    (folder / "env").mkdir(parents=True)
    text = KEYS.read_text().replace("{vault: database_password}", "{generate: true}")
    (folder / "env" / "ppml.yaml").write_text(text)
    return Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})


def copy_of(applied: Path, folder: Path) -> Place:
    """A copy of an applied one, whose sandbox is not running yet."""
    shutil.copytree(applied, folder, symlinks=True)
    return Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})


def copied(applied: Path, folder: Path) -> Place:
    """A copy of an applied one, with its sandbox running."""
    place = copy_of(applied, folder)
    process.up(place.sandbox)
    return place
