"""kill -9 at every instant between effects: the next apply converges, and nothing is made twice."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from functools import cache
from pathlib import Path

import pytest
from flows.forked_place import sandboxed
from flows.place import Place, make_place
from flows.world import enrolments, lease_holder_of, lockfile_of, objects_of

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

APPLY = ("apply", "--yes", "--parallel", "1")
ORPHAN = "may have left an account"
SHARES = 12
"""The instants are dealt out to this many tests, so that workers share them."""


def without_heartbeat(folder: Path) -> Place:
    """The quickstart, with a lease so long that instants come in the same order, and waiting for its end would fail."""
    place = make_place(folder)
    place.edit("name: quickstart\n", "name: quickstart\ncluster: {lease_seconds: 3600}\n")
    return place


@cache
def undisturbed(folder: Path) -> tuple[list[str], str, str]:
    """The instants of an apply that nobody disturbs, its lockfile, and what it makes."""
    place = without_heartbeat(folder)
    try:
        place.succeed(*APPLY, PPMLCTL_FAILPOINT_LOG=str(folder / "instants"))
        instants = [line.split(" ", 1)[1] for line in (folder / "instants").read_text().splitlines()]
        return instants, lockfile_of(place), repr(objects_of(place))
    finally:
        process.down(place.sandbox)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], str, str]:
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


def converges(place: Place, reference: tuple[list[str], str, str], *, after: str) -> None:
    """The next apply ends where an undisturbed one ends."""
    done = place.run(*APPLY)
    assert done.returncode == 0, f"after {after}:\n{done.stdout}{done.stderr}"
    assert lockfile_of(place) == reference[1], after
    assert repr(objects_of(place)) == reference[2], after
    made = enrolments(place)
    assert made == (2 if inside_the_window(after, reference[0]) else 1), after
    assert made == 1 or ORPHAN in done.stderr, after
    assert not list(place.folder.glob(".*.tmp")), after
    assert lease_holder_of(place) is None, after


def inside_the_window(instant: str, instants: list[str]) -> bool:
    """Whether the account's answer was on its way to the vault: the one window that cannot be closed."""
    opens = instants.index("after ehsm Enroll")
    closes = instants.index("before file ppml.vault", opens)
    return opens <= int(instant.split(" ", 1)[0]) - 1 <= closes


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.crash
def test_a_kill_at_any_instant_converges(share: int, reference: tuple[list[str], str, str], tmp_path: Path) -> None:
    for number in range(1 + share, len(reference[0]) + 1, SHARES):
        instant = f"{number} {reference[0][number - 1]}"
        with sandboxed(without_heartbeat(tmp_path / str(number))) as place:
            killed = place.run(*APPLY, PPMLCTL_FAILPOINT=str(number))
            assert killed.returncode == -signal.SIGKILL, f"at {instant}:\n{killed.stdout}{killed.stderr}"
            converges(place, reference, after=instant)


def test_the_first_and_the_narrowest_instants_converge(reference: tuple[list[str], str, str], tmp_path: Path) -> None:
    """The few that matter most, on every run of the tests: the first, around Enroll, around the first submission."""
    names = reference[0]
    chosen = {1, *(n + 1 for n, name in enumerate(names) if name in {"before ehsm Enroll", "after ehsm Enroll"})}
    chosen.add(1 + max(n for n, name in enumerate(names) if name == "before file ppml.lock"))
    for number in sorted(chosen):
        place = without_heartbeat(tmp_path / str(number))
        try:
            assert place.run(*APPLY, PPMLCTL_FAILPOINT=str(number)).returncode == -signal.SIGKILL
            converges(place, reference, after=f"{number} {names[number - 1]}")
        finally:
            process.down(place.sandbox)


@pytest.mark.parametrize("share", range(4))
@pytest.mark.crash
def test_random_kills_converge(share: int, reference: tuple[list[str], str, str], tmp_path: Path) -> None:
    """Kills at any time, not only at the instants that the program knows of; twenty in all."""
    chance = random.Random(share)
    for number in range(5):
        place = without_heartbeat(tmp_path / str(number))
        try:
            after = _killed_after(place, chance.uniform(0.3, 4.0))
            done = place.run(*APPLY)
            assert done.returncode == 0, f"after {after:.2f} s:\n{done.stdout}{done.stderr}"
            assert repr(objects_of(place)) == reference[2]
            assert lockfile_of(place) == reference[1]
            assert enrolments(place) == 1 or ORPHAN in done.stderr
        finally:
            process.down(place.sandbox)


def _killed_after(place: Place, seconds: float) -> float:
    running = place.start(*APPLY)
    started = time.monotonic()
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    return time.monotonic() - started
