"""A lease while this process holds it: renewed in the background, and asked before every effect and every record.

A process that was stopped, suspended or cut off does not know how long. So nothing begins unless the lease was renewed
within half of its duration; if it was not, it is renewed first, and that succeeds only while nobody has taken it over.
Left over are calls that were under way: a request that was sent before the stop, a write between question and rename.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NoReturn, Protocol

from ppmlctl.diagnostics import Diagnostic, PpmlError, StateError, TransientError
from ppmlctl.state.lease import Lease, Revision

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended: on Linux only this one does, elsewhere CLOCK_MONOTONIC."""


class LeaseLostError(StateError):
    """The lease is another's, or could not be renewed; this process must not begin anything any more."""


class LeaseStore(Protocol):
    """Where one lease lies. Writes succeed only on the version that was read."""

    def read(self) -> Lease | None: ...
    def write(self, lease: Lease) -> Lease | None:
        """The lease as it was written; None where it was written by another since, or is gone."""

    def delete(self, lease: Lease) -> None: ...


@dataclass(frozen=True)
class Instant:
    """One point in time by two clocks. The wall clock notices the pause of a virtual machine."""

    elapsed: float
    wall: datetime

    @classmethod
    def now(cls) -> Instant:
        return cls(time.clock_gettime(_CLOCK), datetime.now(UTC))

    def seconds_since(self, earlier: Instant) -> float:
        """What the clock that ran further says. Too much costs one renewal, too little could cost the exclusion."""
        return max(self.elapsed - earlier.elapsed, abs((self.wall - earlier.wall).total_seconds()))


@dataclass(frozen=True)
class Taken:
    """A lease that was just taken: as it was before, as it is, and when it was asked for."""

    before: Lease | None
    lease: Lease
    since: Instant


class HeldLease:
    """Safe for threads. `revision` gives what is durably recorded; `on_loss` is called once when the lease is lost."""

    def __init__(
        self,
        store: LeaseStore,
        taken: Taken,
        revision: Callable[[], Revision],
        on_loss: Callable[[], None],
        *,
        may_vanish: bool = False,
    ) -> None:
        """`may_vanish` where the run takes away what the lease lies in."""
        self._store = store
        self._lease = taken.lease
        self._renewed = taken.since
        self._revision = revision
        self._on_loss = on_loss
        self._may_vanish = may_vanish
        self._vanished = False
        self._lost: Diagnostic | None = None
        self._renewing = threading.Lock()
        self._leaving = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._heart.start()

    @property
    def is_lost(self) -> bool:
        """Whether nothing may begin any more."""
        return self._lost is not None

    def admit(self) -> None:
        """Returns while this process surely holds the lease; renews it where that is not sure.

        Raises LeaseLostError. Waits while the cluster cannot be reached, at most for the lease's duration.
        """
        if self._is_fresh():
            return
        with self._renewing:
            began = Instant.now()
            while not self._is_fresh() and not self._renew():
                if Instant.now().seconds_since(began) > self._lease.duration:
                    self._lose(_not_renewed(Instant.now().seconds_since(self._renewed)))
                self._leaving.wait(_pause(self._lease))

    def release(self) -> None:
        """Lets the next one have it, and leaves what it knows of the lockfile; nothing where nothing is recorded.

        Raises EngineError where the cluster does not answer: then the lease ends by itself, after its duration.
        """
        self._leaving.set()
        self._heart.join()
        if self._lost or self._vanished:
            return
        with suppress(LeaseLostError):
            released = self._write(replace(self._lease, holder=None, revision=self._revision()))
            if released and not self._lease.revision.digest:
                self._store.delete(self._lease)

    def _is_fresh(self) -> bool:
        if self._lost is not None:
            raise LeaseLostError(self._lost)
        return self._vanished or Instant.now().seconds_since(self._renewed) <= self._lease.duration / 2

    def _beat(self) -> None:
        pause = self._lease.duration / 3
        while not self._leaving.wait(pause) and not self._vanished:
            with self._renewing:
                try:
                    renewed = self._renew()
                except LeaseLostError:
                    return
            pause = self._lease.duration / 3 if renewed else _pause(self._lease)

    def _renew(self) -> bool:
        """Whether it could be renewed; False where another try may help. Raises LeaseLostError."""
        now = Instant.now()
        try:
            written = self._write(replace(self._lease, renewed=now.wall, revision=self._revision()))
        except LeaseLostError:
            raise
        except TransientError:
            return False
        except PpmlError as error:
            self._lose(error.diagnostics[0])
        if written:
            self._renewed = now
        return written

    def _write(self, wanted: Lease) -> bool:
        """Whether it was written. Tries once more where it has another version but the same holder: the answer to an
        earlier write was lost, or somebody put a note on it.
        """
        written = self._store.write(wanted)
        if written is None:
            found = self._store.read()
            if found is None and self._may_vanish:
                self._vanished = True
                return True
            if found is None or found.holder != self._lease.holder:
                self._lose(_taken(found, Instant.now().seconds_since(self._renewed)))
            written = self._store.write(replace(wanted, version=found.version))
        if written is not None:
            self._lease = written
        return written is not None

    def _lose(self, why: Diagnostic) -> NoReturn:
        self._lost = why
        self._on_loss()
        raise LeaseLostError(why)


def _pause(lease: Lease) -> float:
    """Seconds before the next try to renew."""
    return min(1.0, lease.duration / 15)


def _taken(found: Lease | None, seconds: float) -> Diagnostic:
    if found is None:
        return Diagnostic(
            "lease-deleted",
            "somebody deleted this environment's lease",
            found="it is not in the cluster any more, or its namespace is not",
            why="nothing keeps another apply out, so nothing more was begun or recorded",
            fix="run the same command again",
        )
    now = f"{found}" if found.holder else "another apply has held it since, and ended"
    return Diagnostic(
        "lease-lost",
        "another apply has taken over this environment",
        found=f"this process did not renew its lease for {seconds:.0f} s; {now}",
        why="nothing was begun and nothing was recorded after that",
        fix="when the other one has ended, bring its lockfile here and look what is left:\ngit pull\nppmlctl plan",
    )


def _not_renewed(seconds: float) -> Diagnostic:
    return Diagnostic(
        "lease-not-renewed",
        "the cluster could not be reached to renew the lease",
        found=f"not renewed for {seconds:.0f} s",
        why="another apply may take over this environment by now, so nothing more was begun or recorded",
        fix="run the same command again when the cluster answers",
    )
