"""An apply that is told to stop ends what runs, records it and gives the lease back; the next one does the rest."""

from __future__ import annotations

import signal

import pytest
from flows.checkouts import SECONDS, Make

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_apply_that_is_told_to_stop_ends_well(told: signal.Signals, code: int, make: Make) -> None:
    one = make(seconds=3600)
    one.grow("one")
    running = one.begin()
    one.until_at_the_gate()
    running.send_signal(told)
    _, said = running.communicate(timeout=SECONDS)
    assert running.returncode == code, said
    assert "stopping: what runs is finished and recorded" in said
    assert b"\n  first:\n" in one.lockfile
    lease = one.lease()
    assert lease is not None
    assert "holderIdentity" not in lease["spec"]

    two = one.clone("elsewhere")
    two.open_the_gate()
    assert two.run("apply", "--yes").returncode == 0
    assert two.object("behind") is not None


def test_an_apply_that_waits_for_another_can_be_ended(make: Make) -> None:
    one = make()
    one.grow("one")
    running = one.begin()
    one.until_at_the_gate()
    waiting = one.clone("two").begin("--lock-timeout", "600")
    assert waiting.stderr is not None
    assert "waits for the lease of process" in waiting.stderr.readline()
    waiting.terminate()
    _, said = waiting.communicate(timeout=SECONDS)
    assert (waiting.returncode, said.splitlines()[-1]) == (143, "interrupted"), said
    assert running.poll() is None
