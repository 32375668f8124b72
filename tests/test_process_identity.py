"""A process that ended is told from one that lives, from one of another machine, and from the next with its number."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from ppmlctl.process_identity import ProcessIdentity, start_time_of


def identity_of(pid: int) -> ProcessIdentity:
    own, started = ProcessIdentity.own(), start_time_of(pid)
    assert own is not None
    assert started is not None
    return replace(own, pid=pid, start_time=started)


def test_this_process_is_not_gone() -> None:
    own = ProcessIdentity.own()
    assert own is not None
    assert not own.is_gone()
    assert ProcessIdentity.parse(str(own)) == own


def test_one_that_ended_is_gone_even_before_its_parent_has_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = identity_of(child.pid)
        assert not identity.is_gone()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert identity.is_gone()
    assert identity.is_gone()


def test_the_next_one_with_its_number_is_another() -> None:
    own = ProcessIdentity.own()
    assert own is not None
    assert replace(own, start_time=own.start_time - 1).is_gone()


def test_of_another_machine_or_container_nothing_is_known() -> None:
    own = ProcessIdentity.own()
    assert own is not None
    for elsewhere in (replace(own, boot="another", pid=10**7), replace(own, namespace="pid:[1]", pid=10**7)):
        assert not elsewhere.is_gone()


def test_what_is_no_identity_is_none() -> None:
    for text in ("", "a b c", "a b c d", "a b 1 2 3"):
        assert ProcessIdentity.parse(text) is None
