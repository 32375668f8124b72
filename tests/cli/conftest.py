from __future__ import annotations

from pathlib import Path

import pytest
from enclave_command import Command


@pytest.fixture
def enclave(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`ppmlctl enclave` on the files of a vector, with a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Command(tmp_path, capsys)
