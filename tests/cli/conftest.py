from __future__ import annotations

from pathlib import Path

import pytest
from enclave_command import Command


@pytest.fixture
def enclave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """`ppmlctl enclave` on the files of a vector."""
    return Command(tmp_path, capsys)
