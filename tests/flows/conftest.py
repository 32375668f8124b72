"""Environments for whole flows: a fresh one, and one that was applied."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.checkouts import SECONDS, Checkout, Make, make_checkout
from flows.keys_place import keys_place
from flows.place import Place, make_place

from ppmlctl.sandbox import process


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the crash tests keeps the shares that PPMLCTL_CRASH_PART names: `2/3` is the second third. Default: all."""
    part, parts = (int(number) for number in os.environ.get("PPMLCTL_CRASH_PART", "1/1").split("/"))
    left_out = [item for item in items if item.get_closest_marker("crash") and _share_of(item) % parts != part - 1]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _share_of(item: pytest.Item) -> int:
    callspec = getattr(item, "callspec", None)
    return int(callspec.params["share"]) if callspec else 0


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


@pytest.fixture(scope="module", params=[pytest.param("real", marks=pytest.mark.cluster), "sandbox"])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of each cluster in turn."""
    if request.param == "real":
        if "KUBECONFIG" not in os.environ:
            pytest.skip("KUBECONFIG names no cluster")
        yield Path(os.environ["KUBECONFIG"])
        return
    folder = tmp_path_factory.mktemp("cluster")
    running = process.up(folder, only="kubernetes")
    assert running.kubeconfig
    yield running.kubeconfig
    process.down(folder)


@pytest.fixture
def make(kubeconfig: Path, tmp_path: Path) -> Iterator[Make]:
    """Makes a checkout in a namespace of its own."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on this machine")
    namespace = f"lease-{secrets.token_hex(4)}"
    begun: list[subprocess.Popen[str]] = []

    def made(name: str = "one", *, seconds: int = 3600) -> Checkout:
        checkout = make_checkout(tmp_path / name, kubeconfig, namespace, seconds=seconds)
        checkout.begun = begun
        return checkout

    yield made
    for running in begun:
        running.kill()
        running.communicate()
    words = ["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"]
    subprocess.run(["kubectl", "--kubeconfig", kubeconfig, *words], check=True, capture_output=True, timeout=SECONDS)


@pytest.fixture(scope="session")
def _altered(_applied: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("altered") / "applied"
    shutil.copytree(_applied, folder, symlinks=True)
    made = Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})
    process.up(made.sandbox)
    yield made
    process.down(made.sandbox)


@pytest.fixture
def altered(_altered: Place) -> Place:
    """An applied environment that its tests leave as it was."""
    return _altered
