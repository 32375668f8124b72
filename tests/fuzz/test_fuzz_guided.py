"""Every parser under a coverage-guided fuzzer, PPMLCTL_FUZZ_SECONDS each: ten minutes unless said otherwise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.targets import TARGETS

_SECONDS = int(os.environ.get("PPMLCTL_FUZZ_SECONDS", "600"))
_START = 120


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_guided_fuzzing_finds_nothing(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("run_target.py")), name, str(_SECONDS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS + _START, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    executed = re.search(r"number_of_executed_units: +([0-9]+)", done.stderr)
    assert executed, done.stderr[-2000:]
    assert int(executed[1]) > 100
    print(f"{name}: {executed[1]} inputs in {_SECONDS} seconds")
