"""The environment's lease in its cluster: how it is read, waited for and taken."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import TransientError
from ppmlctl.engine.held_lease import Instant, Taken
from ppmlctl.engine.lease_object import API_VERSION, lease_in, manifest_of
from ppmlctl.process_identity import ProcessIdentity
from ppmlctl.state import locked
from ppmlctl.state.lease import Holder, Lease, Revision, Standing, Watched, standing

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest, ObjectKey

_TELL_SECONDS = 5.0
_AWAY_SECONDS = 1.0
"""Between two tries to reach a cluster that does not answer."""
_NAMESPACE_SECONDS = 300.0
"""How long a former namespace may take to go."""


def lease_name(environment: str) -> str:
    """The lease's name, in the namespace of the environment of this name."""
    return f"ppmlctl-{environment}"


def holder_of(lease: Lease | None) -> Holder | None:
    """Who holds it; None for one that is not there, too."""
    return lease.holder if lease else None


def holder_is_gone(lease: Lease | None) -> bool:
    """Whether the holder was a process of this machine and has ended."""
    holder = holder_of(lease)
    return bool(holder and holder.process and holder.process.is_gone())


@dataclass(frozen=True)
class ClusterLease:
    """One lease in one namespace. `home` is that namespace, where it is not there (any more) and the plan makes it."""

    client: KubernetesClient
    namespace: str
    name: str
    home: Manifest | None = None

    @property
    def _key(self) -> ObjectKey:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - 0.3 s that not every command pays

        return ObjectKey(API_VERSION, "Lease", self.namespace, self.name)

    def read(self) -> Lease | None:
        """What it says now; None where it is not there."""
        found = self.client.get(self._key)
        return None if found is None else lease_in(found)

    def write(self, lease: Lease) -> Lease | None:
        """Writes it over the version that it was read in; None where that is not the last one any more."""
        from ppmlctl.clients.kubernetes import ConflictError, ObjectGoneError  # noqa: PLC0415 - as above

        try:
            return lease_in(self.client.replace(manifest_of(lease, self.namespace, self.name)))
        except (ConflictError, ObjectGoneError):
            return None

    def create(self, lease: Lease) -> Lease | None:
        """Makes it; None where another was quicker, or where its namespace had to be made first."""
        from ppmlctl.clients.kubernetes import ObjectExistsError, ObjectGoneError  # noqa: PLC0415 - as above

        manifest = manifest_of(lease, self.namespace, self.name)
        try:
            return lease_in(self.client.create(manifest))
        except ObjectExistsError:
            return None
        except ObjectGoneError:
            if self.home is None:
                raise
        with suppress(ObjectExistsError):
            self.client.create(self.home)
        return None

    def delete(self, lease: Lease) -> None:
        """Takes it away, unless it was written since."""
        from ppmlctl.clients.kubernetes import ConflictError  # noqa: PLC0415 - as above

        with suppress(ConflictError):
            self.client.delete(self._key, version=lease.version)


@dataclass
class Acquisition:
    """One attempt to get the lease. `check` looks at it before it is taken, and raises where it must not be."""

    lease: ClusterLease
    duration: float
    patience: float
    """Seconds to wait for a living holder."""
    seen: Lease | None
    """What the plan saw: where nobody held it, taking it tells whether that still holds."""
    revision: Callable[[], Revision]
    check: Callable[[Lease | None], None]
    tell: Callable[[str], None]
    warn: Callable[[str], None]
    _told: float = field(default=-_TELL_SECONDS, init=False)
    _own: Holder = field(init=False)

    def __post_init__(self) -> None:
        self._own = _own()

    def run(self) -> Taken:
        """Takes it as soon as it is free. Raises StateError (environment-locked) where a living process keeps it.

        While it has patience it outlives a cluster that does not answer.
        """
        began = time.monotonic()
        watch = Watch()
        if holder_of(self.seen) is None and (taken := self._take(self.seen)) is not None:
            return taken
        while True:
            try:
                found = self.lease.read()
            except TransientError as error:
                if time.monotonic() - began >= self.patience:
                    raise
                watch = Watch()  # its holder could not renew it either: that is no sign of its death
                self._tell_now_and_then(f"{error.diagnostics[0].title}; still waits for the lease")
                time.sleep(_AWAY_SECONDS)
                continue
            watched = watch.look(found)
            match standing(found, watched=watched, now=datetime.now(UTC), holder_is_gone=holder_is_gone(found)):
                case Standing.FREE | Standing.DEAD:
                    if (taken := self._take(found)) is not None:
                        return taken
                    continue
                case Standing.LIVE if time.monotonic() - began >= self.patience:
                    raise locked(f"{found}, renewed {_seconds_ago(found)} s ago" if found else "")
            self._wait(found, watched)

    def _take(self, found: Lease | None) -> Taken | None:
        if found is not None and self.lease.home is not None:
            self._await_namespace()  # the lease of a namespace that is on its way out
            return None
        self.check(found)
        since = Instant.now()
        transitions = found.transitions + 1 if found else 0
        version = found.version if found else None
        wanted = Lease(self.revision(), self.duration, self._own, since.wall, since.wall, transitions, version)
        try:
            lease = self.lease.write(wanted) if found else self.lease.create(wanted)
        except TransientError as error:
            if error.diagnostics[0].code == "k8s-namespace-terminating":
                self._await_namespace()
                return None
            lease = self._written_after_all(error)
        if lease is None:
            return None
        if found is not None and found.holder is not None:
            self.warn(
                f"takes over from {found.holder}, which has ended; it may have recorded more than the cluster knows "
                f"(serial {found.revision.serial}), in the lockfile that is there"
            )
        return Taken(found, lease, since)

    def _written_after_all(self, fault: TransientError) -> Lease:
        """The lease, where a write whose answer was lost had reached it. Raises the fault where it had not."""
        try:
            found = self.lease.read()
        except TransientError:
            raise fault from None
        if found is None or found.holder is None or found.holder.token != self._own.token:
            raise fault
        return found

    def _wait(self, found: Lease | None, watched: Watched) -> None:
        """Waits a moment, and says now and then for what."""
        if found is None:
            return
        self._tell_now_and_then(f"waits for the lease of {found.holder}, not renewed for {watched.unchanged:.0f} s")
        time.sleep(min(1.0, found.duration / 10))

    def _tell_now_and_then(self, text: str) -> None:
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            self.tell(text)

    def _await_namespace(self) -> None:
        from ppmlctl.clients.kubernetes import Condition, ObjectKey  # noqa: PLC0415 - as above

        key = ObjectKey("v1", "Namespace", "", self.lease.namespace)
        self.tell(f"waits until the former {key} is gone")
        self.lease.client.wait(key, Condition("the former one is gone", lambda now: now is None), _NAMESPACE_SECONDS)


class Watch:
    """Follows one lease from reading to reading. Its clock stands still in a suspended machine: so it never hurries."""

    def __init__(self) -> None:
        self._seen: tuple[Holder | None, datetime | None] | None = None
        self._since = 0.0
        self._changes = 0

    def look(self, lease: Lease | None) -> Watched:
        """What is known after this reading."""
        now, seen = time.monotonic(), (lease.holder, lease.renewed) if lease else (None, None)
        if seen != self._seen:
            self._changes += self._seen is not None
            self._seen, self._since = seen, now
        return Watched(now - self._since, was_renewed=self._changes > 0)


def _own() -> Holder:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())  # a container's user often has no name
    return Holder(user, socket.gethostname(), os.getpid(), secrets.token_hex(4), ProcessIdentity.own())


def _seconds_ago(lease: Lease) -> str:
    renewed = lease.renewed or datetime.now(UTC)
    return f"{max(0.0, (datetime.now(UTC) - renewed).total_seconds()):.0f}"
