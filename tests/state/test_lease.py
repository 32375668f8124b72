"""What may be done about a lease, and about a lockfile that the cluster was not made by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.state.lease import Fit, Holder, Lease, Revision, Standing, Watched, fit, standing

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HERE = Revision("env", 5, "digest")
HELD = Lease(HERE, 30.0, Holder("alice", "there", 7, "t"), NOW, NOW)


@pytest.mark.parametrize(
    ("age", "watched", "gone", "expected"),
    [
        pytest.param(3, Watched(), False, Standing.LIVE, id="renewed lately"),
        pytest.param(30, Watched(), False, Standing.LIVE, id="just in time"),
        pytest.param(31, Watched(), False, Standing.DOUBTFUL, id="over by our clock"),
        pytest.param(-31, Watched(), False, Standing.DOUBTFUL, id="from a clock far ahead"),
        pytest.param(31, Watched(29.9), False, Standing.DOUBTFUL, id="not watched for long enough"),
        pytest.param(31, Watched(30.0), False, Standing.DEAD, id="watched for its whole duration"),
        pytest.param(3, Watched(30.0), False, Standing.DEAD, id="the same, by a clock that is behind"),
        pytest.param(900, Watched(2.0, was_renewed=True), False, Standing.LIVE, id="renewed before our eyes"),
        pytest.param(900, Watched(30.0, was_renewed=True), False, Standing.DEAD, id="renewed, and then no more"),
        pytest.param(0, Watched(), True, Standing.DEAD, id="a process of this machine that ended"),
    ],
)
def test_a_held_lease_is_judged(age: float, watched: Watched, *, gone: bool, expected: Standing) -> None:
    lease = replace(HELD, renewed=NOW - timedelta(seconds=age))
    assert standing(lease, watched=watched, now=NOW, holder_is_gone=gone) is expected


def test_a_lease_that_is_not_there_or_held_by_nobody_is_free() -> None:
    for lease in (None, replace(HELD, holder=None)):
        assert standing(lease, watched=Watched(), now=NOW, holder_is_gone=False) is Standing.FREE


@given(
    age=st.floats(-1e6, 1e6),
    duration=st.floats(1, 3600),
    unchanged=st.floats(0, 1e6),
    was_renewed=st.booleans(),
)
def test_only_watching_makes_a_holder_elsewhere_dead(
    *, age: float, duration: float, unchanged: float, was_renewed: bool
) -> None:
    """Whatever the clocks say."""
    lease = replace(HELD, duration=duration, renewed=NOW - timedelta(seconds=age))
    judged = standing(lease, watched=Watched(unchanged, was_renewed=was_renewed), now=NOW, holder_is_gone=False)
    assert (judged is Standing.DEAD) == (unchanged >= duration)
    assert judged is not Standing.FREE


@pytest.mark.parametrize(
    ("here", "known", "expected"),
    [
        pytest.param(HERE, None, Fit.FITS, id="no lease yet"),
        pytest.param(HERE, Revision(""), Fit.FITS, id="a lease that names no environment"),
        pytest.param(HERE, HERE, Fit.FITS, id="the same"),
        pytest.param(HERE, Revision("env", 4, "before"), Fit.FITS, id="later than the cluster knows"),
        pytest.param(HERE, Revision("env", 6, "after"), Fit.OLDER, id="older"),
        pytest.param(HERE, Revision("env", 5, "other"), Fit.DIVERGED, id="diverged"),
        pytest.param(HERE, Revision("another", 1, "x"), Fit.OTHER, id="another environment"),
        pytest.param(Revision("new"), Revision("env", 5, "digest"), Fit.LOST, id="nothing here"),
        pytest.param(Revision("new"), Revision("env"), Fit.LOST, id="nothing here, and the first apply died"),
    ],
)
def test_a_lockfile_is_compared_with_the_clusters(here: Revision, known: Revision | None, expected: Fit) -> None:
    assert fit(here, known) is expected
