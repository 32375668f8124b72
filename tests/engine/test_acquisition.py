"""Waiting for the lease of another while the cluster comes and goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine.lease_shelf import THEIRS, Shelf

from ppmlctl.diagnostics import Diagnostic, StateError, TransientError
from ppmlctl.engine import cluster_lease
from ppmlctl.engine.cluster_lease import Acquisition
from ppmlctl.state.lease import Lease, Revision

LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)
HELD = Lease(Revision("env", 3, "digest"), 30, THEIRS, LONG_AGO, LONG_AGO, 4, "1")


@dataclass
class Cluster(Shelf):
    """`days` are what the readings meet, one after the other: a lease, or a fault. The last one stays."""

    days: list[Lease | Exception] = field(default_factory=list)
    home: None = None

    def read(self) -> Lease | None:
        day = self.days.pop(0) if len(self.days) > 1 else self.days[0]
        if isinstance(day, Exception):
            raise day
        self.lease = day
        return day


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by sleeping alone."""
    now = [0.0]
    monkeypatch.setattr(cluster_lease.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(cluster_lease.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def waiting(*days: Lease | Exception, patience: float) -> tuple[Acquisition, list[str]]:
    told: list[str] = []
    cluster: Any = Cluster(HELD, days=list(days))
    revision = HELD.revision
    return Acquisition(cluster, 30, patience, HELD, lambda: revision, lambda _: None, told.append, told.append), told


def away() -> TransientError:
    return TransientError(Diagnostic("k8s-unreachable", "the API server cannot be reached"))


@pytest.mark.usefixtures("clock")
def test_who_waits_outlives_a_cluster_that_does_not_answer() -> None:
    acquisition, told = waiting(HELD, away(), away(), replace(HELD, holder=None), patience=600)
    assert acquisition.run().before == replace(HELD, holder=None)
    assert told == ["waits for the lease of process 2 of bob on there, not renewed for 0 s"]


def test_a_first_write_whose_answer_is_lost_is_looked_at_again() -> None:
    free = replace(HELD, holder=None)

    class Cut(Shelf):
        home = None

        def write(self, lease: Lease) -> Lease | None:
            super().write(lease)
            raise away()

    acquisition, _ = waiting(free, patience=0)
    acquisition.lease, acquisition.seen = Cut(free), free  # type: ignore[assignment]  # what a cluster keeps
    taken = acquisition.run()
    assert taken.lease.holder is not None
    assert (taken.before, taken.lease.version) == (free, "2")


def test_a_first_write_that_never_arrived_is_told() -> None:
    free = replace(HELD, holder=None)
    acquisition, _ = waiting(free, patience=0)
    acquisition.seen, acquisition.lease.faults = free, [away()]  # type: ignore[attr-defined]  # a Shelf
    acquisition.lease.lease = free  # type: ignore[attr-defined]  # the same
    with pytest.raises(TransientError):
        acquisition.run()


@pytest.mark.usefixtures("clock")
def test_who_does_not_wait_is_told_at_once() -> None:
    acquisition, _ = waiting(away(), patience=0)
    with pytest.raises(TransientError):
        acquisition.run()


def test_a_holder_that_could_not_be_asked_meanwhile_is_not_taken_for_dead(clock: list[float]) -> None:
    renewed = replace(HELD, renewed=LONG_AGO + timedelta(seconds=1), version="2")
    acquisition, _ = waiting(HELD, *(away() for _ in range(40)), HELD, renewed, patience=50)
    with pytest.raises(StateError) as refused:
        acquisition.run()
    assert refused.value.diagnostics[0].code == "environment-locked"
    assert clock[0] > HELD.duration
