"""The lockfile on disk: read once, written whole and durably.

Records that are made while a write is under way share the next write, so that many parallel tasks cost few writes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from ppmlctl.files import write_atomic
from ppmlctl.planning import Moves, Recorded, relocated
from ppmlctl.state.lease import Revision
from ppmlctl.state.lockfile import BEGUN, MADE, Lockfile, entry_of, entry_text, header_text
from ppmlctl.state.lockfile_reader import read_lockfile


class LockStore:
    """The one writer of a lockfile. Safe for threads; processes exclude each other by `apply_lock` and a lease."""

    def __init__(self, path: Path, lockfile: Lockfile) -> None:
        self.path = path
        self.lockfile = lockfile
        self._texts = {address: entry_text(address, entry) for address, entry in lockfile.tasks.items()}
        self._state = threading.Lock()
        self._writing = threading.Lock()
        self._changes = 0
        self._durable = 0
        self._written = (lockfile.serial, self._entries())
        self.as_read: Revision | None = None
        """The file as it was found, `digest` over all of it; None for a new environment's."""
        self.fence: Callable[[], None] = _open
        """Asked before each write; raises where this process may not write any more."""

    @classmethod
    def open(cls, path: Path, *, shown_as: str = "ppml.lock") -> LockStore:
        """Reads the lockfile, with `read_lockfile`'s errors; a missing one is a new environment's."""
        if not path.exists():
            return cls(path, Lockfile(environment=str(uuid4())))
        store = cls(path, read_lockfile(path, shown_as))
        lockfile, digest = store.lockfile, hashlib.sha256(store._text().encode()).hexdigest()
        store.as_read = Revision(lockfile.environment, lockfile.serial, digest)
        return store

    def record(self, address: str, recorded: Recorded) -> None:
        """Durably writes one finished task and ends its intent."""
        self.note(address, recorded)
        self.flush()

    def note(self, address: str, recorded: Recorded) -> None:
        """As `record`, but nothing is durable before `flush`."""
        entry = entry_of(recorded)
        text = entry_text(address, entry)
        with self._state:
            self.lockfile.tasks[address] = entry
            self.lockfile.intents.pop(address, None)
            if address in self.lockfile.rotations:
                self.lockfile.rotations[address] = MADE
            self._texts[address] = text
            self.lockfile.serial += 1
            self._next_change()

    def flush(self) -> None:
        """Makes everything noted so far durable, by one write; none where that is done already."""
        with self._state:
            change = self._changes
        self._make_durable(change)

    def forget(self, address: str) -> None:
        """Durably drops one entry."""
        with self._state:
            self.lockfile.tasks.pop(address, None)
            self.lockfile.intents.pop(address, None)
            self.lockfile.rotations.pop(address, None)
            self._texts.pop(address, None)
            self.lockfile.serial += 1
            change = self._next_change()
        self._make_durable(change)

    def relocate(self, found: Moves) -> None:
        """Durably puts entries, with their intents, under other addresses."""
        with self._state:
            for entries in (self.lockfile.tasks, self.lockfile.intents):
                present = {new: old for new, old in found.items() if old in entries}
                moved = relocated(entries, present)
                entries.clear()
                entries.update(moved)
            present = {new: old for new, old in found.items() if old in self.lockfile.rotations}
            self.lockfile.rotations = relocated(self.lockfile.rotations, present)
            self._texts = {address: entry_text(address, entry) for address, entry in self.lockfile.tasks.items()}
            change = self._next_change()
        self._make_durable(change)

    def pending(self, address: str) -> Mapping[str, Any] | None:
        """The intent that an earlier, interrupted apply left for this task."""
        return self.lockfile.intents.get(address)

    def begin(self, address: str, intent: Mapping[str, Any]) -> None:
        """Durably says what is about to be done."""
        with self._state:
            self.lockfile.intents[address] = dict(intent)
            change = self._next_change()
        self._make_durable(change)

    def withdraw(self, address: str) -> None:
        """Durably says that nothing was done after all."""
        with self._state:
            self.lockfile.intents.pop(address, None)
            change = self._next_change()
        self._make_durable(change)

    def begin_rotations(self, addresses: Iterable[str]) -> None:
        """Durably says what is going to be made anew."""
        fresh = {address: BEGUN for address in addresses if address not in self.lockfile.rotations}
        if not fresh:
            return
        with self._state:
            self.lockfile.rotations.update(fresh)
            change = self._next_change()
        self._make_durable(change)

    def end_rotations(self) -> None:
        """Durably says that what follows from all rotations is done too."""
        if not self.lockfile.rotations:
            return
        with self._state:
            self.lockfile.rotations.clear()
            change = self._next_change()
        self._make_durable(change)

    def identify(self, *, name: str, target: str, engines: Mapping[str, str]) -> None:
        """Durably notes whose lockfile this is, where that is new."""
        known = (self.lockfile.name, self.lockfile.target, self.lockfile.engines)
        if known == (name, target, {**self.lockfile.engines, **engines}) and self.path.exists():
            return
        with self._state:
            self.lockfile.name, self.lockfile.target = name, target
            self.lockfile.engines.update(engines)
            change = self._next_change()
        self._make_durable(change)

    def revision(self) -> Revision:
        """What is durable now."""
        with self._state:
            serial, entries = self._written
        digest = hashlib.sha256(entries.encode()).hexdigest() if entries else ""
        return Revision(self.lockfile.environment, serial, digest)

    def follow(self, known: Revision) -> None:
        """Durably puts this lockfile after another one, which is given up: that one is older from now on.

        One that records nothing takes over the other's identity, so that what carries its labels is found again.
        """
        with self._state:
            if not self.lockfile.serial:
                self.lockfile.environment = known.environment
            self.lockfile.serial = max(self.lockfile.serial, known.serial + 1)
            change = self._next_change()
        self._make_durable(change)

    def _next_change(self) -> int:
        self._changes += 1
        return self._changes

    def _make_durable(self, change: int) -> None:
        with self._writing:
            if self._durable >= change:
                return
            with self._state:
                entries, upto, serial = self._entries(), self._changes, self.lockfile.serial
                text = self._text()
            self.fence()
            write_atomic(self.path, text.encode())
            with self._state:
                self._durable, self._written = upto, (serial, entries)

    def _text(self) -> str:
        entries = self._entries()
        return header_text(self.lockfile) + (f"tasks:\n{entries}" if entries else "tasks: {}\n")

    def _entries(self) -> str:
        return "".join(self._texts[address] for address in sorted(self._texts))


def _open() -> None:
    """Nothing stands in the way."""
