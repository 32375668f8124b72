"""A held lease: renewed while it can be, and nothing begins where it may be another's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from engine.lease_shelf import THEIRS, Shelf

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.engine import held_lease
from ppmlctl.engine.held_lease import HeldLease, Instant, LeaseLostError, Taken
from ppmlctl.state.lease import Holder, Lease, Revision

OURS = Holder("alice", "here", 1, "a")
NOTHING = Revision("env")


@dataclass
class World:
    shelf: Shelf
    held: HeldLease
    lost: threading.Event
    revision: list[Revision]


Hold = Callable[..., World]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Takes a lease that was last renewed `stale` seconds ago."""
    made: list[World] = []

    def taken(
        *, seconds: float = 3600, stale: float = 0, may_vanish: bool = False, faults: Sequence[EngineError] = ()
    ) -> World:
        lease = Lease(NOTHING, seconds, OURS, version="1")
        now, shelf, lost, revision = Instant.now(), Shelf(lease), threading.Event(), [Revision("env", 3, "digest")]
        shelf.faults = list(faults)  # the background may ask before this returns
        since = replace(now, elapsed=now.elapsed - stale)
        held = HeldLease(shelf, Taken(None, lease, since), lambda: revision[0], lost.set, may_vanish=may_vanish)
        made.append(World(shelf, held, lost, revision))
        return made[-1]

    yield taken
    for world in made:
        world.held.release()


def transient() -> TransientError:
    return TransientError(Diagnostic("k8s-unreachable", "the API server cannot be reached"))


def test_while_it_is_fresh_nothing_is_asked(hold: Hold) -> None:
    world = hold(seconds=3600, stale=1799)
    world.held.admit()
    assert world.shelf.writes == 0


def test_after_half_of_it_nothing_begins_before_it_is_renewed(hold: Hold) -> None:
    world = hold(seconds=3600, stale=1801)
    world.held.admit()
    assert world.shelf.writes == 1
    assert world.shelf.lease is not None
    assert world.shelf.lease.revision == Revision("env", 3, "digest"), "the cluster learns what is recorded"


def test_a_lease_that_was_taken_over_admits_nothing_any_more(hold: Hold) -> None:
    world = hold(seconds=3600, stale=1801)
    world.shelf.take_over()
    for _ in range(2):
        with pytest.raises(LeaseLostError) as refused:
            world.held.admit()
        (diagnostic,) = refused.value.diagnostics
        assert diagnostic.code == "lease-lost"
        assert diagnostic.found == (
            "this process did not renew its lease for 1801 s; process 2 of bob on there holds it"
        )
    assert world.lost.is_set()
    assert world.held.is_lost
    world.held.release()
    assert world.shelf.lease is not None
    assert world.shelf.lease.holder == THEIRS, "what is another's is not given back"


def test_a_lease_that_somebody_deleted_is_lost_unless_the_run_takes_its_namespace_away(hold: Hold) -> None:
    gone = hold(stale=1801)
    gone.shelf.lease = None
    with pytest.raises(LeaseLostError) as refused:
        gone.held.admit()
    assert refused.value.diagnostics[0].code == "lease-deleted"
    leaving = hold(stale=1801, may_vanish=True)
    leaving.shelf.lease = None
    leaving.held.admit()
    assert not leaving.held.is_lost


def test_a_note_by_somebody_else_does_not_lose_it(hold: Hold) -> None:
    world = hold(stale=1801)
    world.shelf.touch()
    world.held.admit()
    assert world.shelf.writes == 1


def test_a_cluster_that_does_not_answer_is_asked_again(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_lease, "_pause", lambda _lease: 0.0)
    world = hold(stale=1801)
    world.shelf.faults = [transient(), transient()]
    world.held.admit()
    assert world.shelf.writes == 1


def test_a_cluster_that_does_not_answer_for_the_whole_lease_ends_it(hold: Hold) -> None:
    world = hold(seconds=0.2, stale=3600, faults=[transient() for _ in range(1000)])
    with pytest.raises(LeaseLostError) as refused:
        world.held.admit()
    assert refused.value.diagnostics[0].code == "lease-not-renewed"


def test_a_refusal_ends_it_in_the_clusters_words(hold: Hold) -> None:
    world = hold(stale=1801, faults=[EngineError(Diagnostic("k8s-forbidden", "the cluster does not allow this"))])
    with pytest.raises(LeaseLostError) as refused:
        world.held.admit()
    assert refused.value.diagnostics[0].code == "k8s-forbidden"


def test_it_is_renewed_in_the_background(hold: Hold) -> None:
    world = hold(seconds=0.3)
    assert world.shelf.written.wait(10)
    world.shelf.written.clear()
    assert world.shelf.written.wait(10)


def test_the_background_notices_the_loss(hold: Hold) -> None:
    world = hold(seconds=0.3)
    world.shelf.take_over()
    assert world.lost.wait(10)


def test_what_is_given_back_keeps_what_the_cluster_must_know(hold: Hold) -> None:
    world = hold()
    world.revision[0] = Revision("env", 9, "later")
    world.held.release()
    assert world.shelf.lease is not None
    assert (world.shelf.lease.holder, world.shelf.lease.revision) == (None, Revision("env", 9, "later"))


def test_where_nothing_is_recorded_nothing_is_left(hold: Hold) -> None:
    world = hold()
    world.revision[0] = Revision("env", 9, "")
    world.held.release()
    assert world.shelf.lease is None
