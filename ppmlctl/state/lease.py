"""The lease by which applies on different machines exclude each other: what it says, and what follows. Pure; no clock.

The lockfile's own lock knows only this machine. The lease lies in the environment's cluster, and besides its holder it
keeps which lockfile the cluster was made by, so that a checkout that lags behind is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ppmlctl.process_identity import ProcessIdentity


@dataclass(frozen=True)
class Revision:
    """One state of one environment's lockfile.

    `digest` covers what is recorded, not intents or engines; it is empty where nothing is.
    """

    environment: str
    serial: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Holder:
    """Who holds a lease. `token` is random: it tells two of the same place from each other."""

    user: str
    host: str
    pid: int
    token: str
    process: ProcessIdentity | None = None
    """None where the system does not tell."""

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}"


@dataclass(frozen=True)
class Lease:
    """The lease as it was read or is to be written."""

    revision: Revision
    duration: float
    """Seconds after its last renewal until it may be taken over."""
    holder: Holder | None = None
    """None where nobody holds it."""
    acquired: datetime | None = None
    renewed: datetime | None = None
    """By the holder's clock, which is not trusted: what counts is whether it changes."""
    transitions: int = 0
    """How often it was acquired."""
    version: str | None = None
    """What the cluster calls this state of it; None for one that is not there yet."""

    def __str__(self) -> str:
        since = f" since {self.acquired.isoformat(timespec='seconds')}" if self.acquired else ""
        return f"{self.holder} holds it{since}" if self.holder else "nobody holds it"


class Standing(StrEnum):
    """What may be done about a lease."""

    FREE = "free"
    """Nobody holds it."""
    DEAD = "dead"
    """Its holder has ended, or let its whole duration pass while we looked."""
    LIVE = "live"
    """Its holder renews it."""
    DOUBTFUL = "doubtful"
    """By this machine's clock its time is over; only watching it for its duration tells."""


@dataclass(frozen=True)
class Watched:
    """What was seen since this process began to look at a lease that another holds."""

    unchanged: float = 0.0
    """Seconds, by this process's own clock, in which it was not renewed."""
    was_renewed: bool = False


def standing(lease: Lease | None, *, watched: Watched, now: datetime, holder_is_gone: bool) -> Standing:
    """Judges a lease. `now` is this machine's clock: it may clear a holder as live, never condemn it as dead."""
    if lease is None or lease.holder is None:
        return Standing.FREE
    if holder_is_gone or watched.unchanged >= lease.duration:
        return Standing.DEAD
    if watched.was_renewed:
        return Standing.LIVE
    is_recent = lease.renewed is not None and abs((now - lease.renewed).total_seconds()) <= lease.duration
    return Standing.LIVE if is_recent else Standing.DOUBTFUL


class Fit(StrEnum):
    """How the lockfile here stands to the one that the cluster was made by."""

    FITS = "fits"
    """The same, or a later one."""
    OLDER = "older"
    DIVERGED = "diverged"
    """As many records, but others."""
    LOST = "lost"
    """There is none here, or one that records nothing."""
    OTHER = "other"
    """Another environment's."""


def fit(here: Revision, known: Revision | None) -> Fit:
    """Compares the lockfile here with what the lease knows: None where there is no lease, or it names none."""
    if known is None or not known.environment:
        return Fit.FITS
    if here.environment != known.environment:
        return Fit.OTHER if here.serial else Fit.LOST
    if here.serial < known.serial:
        return Fit.OLDER
    return Fit.DIVERGED if here.serial == known.serial and here.digest != known.digest else Fit.FITS
