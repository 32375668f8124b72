"""Where a lease lies in these tests: in memory, with the versions of a real one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from ppmlctl.state.lease import Holder, Lease

THEIRS = Holder("bob", "there", 2, "b")


@dataclass
class Shelf:
    """One lease, or none."""

    lease: Lease | None
    faults: list[Exception] = field(default_factory=list)
    writes: int = 0
    written: threading.Event = field(default_factory=threading.Event)

    def read(self) -> Lease | None:
        return self.lease

    def create(self, lease: Lease) -> Lease:
        assert self.lease is None
        self.lease = replace(lease, version="1")
        return self.lease

    def write(self, lease: Lease) -> Lease | None:
        if self.faults:
            raise self.faults.pop(0)
        if self.lease is None or self.lease.version != lease.version:
            return None
        self.writes += 1
        self.lease = replace(lease, version=str(int(lease.version or 0) + 1))
        self.written.set()
        return self.lease

    def delete(self, lease: Lease) -> None:
        assert self.lease is not None
        if self.lease.version == lease.version:
            self.lease = None

    def take_over(self) -> None:
        assert self.lease is not None
        self.lease = replace(self.lease, holder=THEIRS, version="99")

    def touch(self) -> None:
        """Somebody puts a note on it."""
        assert self.lease is not None
        self.lease = replace(self.lease, version="50")
