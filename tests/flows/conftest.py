"""Environments for whole flows: a fresh one, and one that was applied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.keys_place import keys_place
from flows.place import Place, make_place

from ppmlctl.sandbox import process


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fresh environment."""
    made = make_place(tmp_path)
    yield made
    process.down(made.sandbox)


@pytest.fixture(scope="session")
def _applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart, applied once and stopped; copied for each test that begins after an apply."""
    folder = tmp_path_factory.mktemp("applied")
    made = make_place(folder)
    made.apply()
    process.down(made.sandbox)
    return folder


@pytest.fixture
def applied(_applied: Path, tmp_path: Path) -> Iterator[Place]:
    """An applied environment with its sandbox running."""
    folder = tmp_path / "applied"
    shutil.copytree(_applied, folder, symlinks=True)
    made = Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})
    process.up(made.sandbox)
    yield made
    process.down(made.sandbox)


@pytest.fixture(scope="session")
def keys_applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with keys and secrets at EHSM, applied once and stopped."""
    folder = tmp_path_factory.mktemp("keys")
    made = keys_place(folder)
    made.apply()
    process.down(made.sandbox)
    return folder
