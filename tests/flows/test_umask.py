"""A user whose umask is 000, as in many containers: what is made is nobody else's to change."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from flows.place import PPMLCTL, Place

pytestmark = pytest.mark.long

FOR_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def _writable_by_others(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_symlink() and path.lstat().st_mode & FOR_OTHERS)
    return sorted(str(path.relative_to(folder)) for path in found)


def test_nothing_that_apply_makes_can_be_written_by_others(place: Place) -> None:
    for path in place.folder.rglob("*"):
        path.chmod(path.stat().st_mode & ~FOR_OTHERS)
    done = subprocess.run(
        [*PPMLCTL, "apply", "--yes"],
        cwd=place.folder,
        env={**os.environ, **place.variables},
        capture_output=True,
        text=True,
        umask=0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in place.folder.iterdir()}
    assert {"keys", ".ppml", "ppml.lock", "ppml.vault"} <= made
    assert _writable_by_others(place.folder.parent) == []
