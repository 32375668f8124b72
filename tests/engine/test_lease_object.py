"""A lease and the object that the cluster keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.engine.lease_object import lease_in, manifest_of
from ppmlctl.process_identity import ProcessIdentity
from ppmlctl.state.lease import Holder, Lease, Revision

words = st.text("abz019-.", min_size=1, max_size=8)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.none() | st.integers(0, 4 * 10**15).map(lambda count: EPOCH + timedelta(microseconds=count))
processes = st.none() | st.builds(ProcessIdentity, words, words, st.integers(1, 9), st.integers(0, 9))
holders = st.none() | st.builds(Holder, words, words, st.integers(1, 10**6), words, processes)
revisions = st.builds(Revision, words, st.integers(0, 10**9), words)
leases = st.builds(Lease, revisions, st.integers(1, 3600).map(float), holders, times, times, st.integers(0, 99), words)


@given(leases)
def test_a_lease_comes_back_from_its_object(lease: Lease) -> None:
    assert lease_in(manifest_of(lease, "ns", "ppmlctl-env")) == lease


def test_what_a_strange_hand_left_out_is_not_said() -> None:
    assert lease_in({"metadata": {"resourceVersion": "1"}}) == Lease(Revision(""), 30.0, version="1")
    odd = {"holderIdentity": "leader", "renewTime": "yesterday"}
    found = lease_in({"metadata": {"resourceVersion": "1", "annotations": {"ppmlctl/serial": "x"}}, "spec": odd})
    assert found.revision == Revision("")
    assert found.renewed is None
    assert found.holder is not None
    assert found.holder.process is None
