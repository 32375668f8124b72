"""The lock of one checkout: who holds it is told, and a killed holder is neither waited for nor named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ppmlctl.diagnostics import StateError
from ppmlctl.state import apply_lock

HOLDER = """\
import sys
from pathlib import Path
from ppmlctl.state import apply_lock
with apply_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder_of(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout
    assert running.stdout.readline() == "held\n"
    return running


def test_a_second_one_is_told_who_holds_it_and_since_when(tmp_path: Path) -> None:
    with holder_of(tmp_path) as holder:
        note = json.loads((tmp_path / "apply.json").read_text())
        with pytest.raises(StateError) as refused, apply_lock(tmp_path):
            pass
        (diagnostic,) = refused.value.diagnostics
        assert diagnostic.code == "environment-locked"
        assert diagnostic.found == f"process {holder.pid} on {note['host']} holds it since {note['since']}"
        holder.communicate("")
    with apply_lock(tmp_path):
        pass
    assert not (tmp_path / "apply.json").exists()


def test_one_that_waits_gets_it_when_the_first_has_ended(tmp_path: Path) -> None:
    with holder_of(tmp_path) as holder:
        assert holder.stdin
        holder.stdin.close()
        with apply_lock(tmp_path, timeout=60):
            pass


def test_what_a_killed_one_noted_misleads_nobody(tmp_path: Path) -> None:
    with holder_of(tmp_path) as holder:
        holder.kill()
        holder.communicate()
    stale = (tmp_path / "apply.json").read_text()
    with holder_of(tmp_path) as next_holder:
        (tmp_path / "apply.json").write_text(stale)  # as in the instant before it writes its own
        with pytest.raises(StateError) as refused, apply_lock(tmp_path):
            pass
        assert refused.value.diagnostics[0].found == "another process holds it"
        next_holder.communicate("")
