"""Several processes and one lease, in any order of stops, faults and takeovers: only its holder ever begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from engine.lease_shelf import Shelf
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ppmlctl.diagnostics import Diagnostic, TransientError
from ppmlctl.engine import cluster_lease, held_lease
from ppmlctl.engine.cluster_lease import Watch
from ppmlctl.engine.held_lease import HeldLease, Instant, LeaseLostError, Taken
from ppmlctl.state.lease import Holder, Lease, Revision, Standing, standing

SECONDS = 30.0
NUMBERS = st.integers(0, 2)
PAUSES = st.sampled_from([1.0, 14.0, 16.0, 29.0, 31.0])
START = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class Process:
    """One run of ppmlctl: it watches the lease, and holds it or once did. Its wall clock is off by `skew` seconds."""

    holder: Holder
    skew: float
    watch: Watch
    held: HeldLease | None = None


class Machines(RuleBasedStateMachine):
    """Time passes only by `time_passes`: a process that does nothing meanwhile is stopped, asleep or cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf(None)
        self.now = 0.0
        skews = (0.0, -3600.0, 7.0)
        self.processes = [Process(Holder("user", "host", n, str(n)), skew, Watch()) for n, skew in enumerate(skews)]

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=NUMBERS, looks=st.lists(PAUSES, min_size=1, max_size=3))
    def tries_to_take_it(self, number: int, looks: list[float]) -> None:
        """Looks, waits, and looks again, until it may have it."""
        process = self.processes[number]
        for seconds in looks:
            if process.held is None:
                self.looks(process)
                self.now += seconds

    def looks(self, process: Process) -> None:
        with self.clocks(process):
            found = self.shelf.read()
            judged = standing(found, watched=process.watch.look(found), now=self.wall(process), holder_is_gone=False)
            if judged not in {Standing.FREE, Standing.DEAD}:
                return
            since, version = Instant.now(), found.version if found else None
            wanted = Lease(Revision("env"), SECONDS, process.holder, since.wall, since.wall, 0, version)
            taken = self.shelf.write(wanted) if found else self.shelf.create(wanted)
            assert taken is not None
            process.held = HeldLease(self.shelf, Taken(found, taken, since), lambda: Revision("env", 1, "d"), _nothing)

    @rule(number=NUMBERS, faults=st.integers(0, 2))
    def begins_something(self, number: int, faults: int) -> None:
        process = self.processes[number]
        if process.held is None:
            return
        self.shelf.faults = [TransientError(Diagnostic("k8s-unreachable", "no answer")) for _ in range(faults)]
        with self.clocks(process):
            try:
                process.held.admit()
            except LeaseLostError:
                process.held.release()
                process.held, process.watch = None, Watch()
                return
            finally:
                self.shelf.faults = []
        assert self.shelf.lease is not None
        assert self.shelf.lease.holder == process.holder, "somebody else has it, and this one goes on"

    @rule(number=NUMBERS)
    def gives_it_back(self, number: int) -> None:
        process = self.processes[number]
        if process.held is not None:
            with self.clocks(process):
                process.held.release()
            process.held, process.watch = None, Watch()

    def teardown(self) -> None:
        for process in self.processes:
            if process.held is not None:
                process.held.release()

    def wall(self, process: Process) -> datetime:
        return START + timedelta(seconds=self.now + process.skew)

    @contextmanager
    def clocks(self, process: Process) -> Iterator[None]:
        """The process's own clocks; waiting for the next try takes a second."""

        def pause(_lease: Lease) -> float:
            self.now += 1
            return 0.0

        now = lambda: Instant(self.now, self.wall(process))  # noqa: E731 - what the class method becomes
        with (
            patch.object(Instant, "now", now),
            patch.object(cluster_lease.time, "monotonic", lambda: self.now),
            patch.object(held_lease, "_pause", pause),
        ):
            yield


def _nothing() -> None:
    pass


TestMachines = Machines.TestCase
