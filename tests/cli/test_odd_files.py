"""What stands in the place of a file is told, and never waited for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PPML = """\
version: 1
name: odd
target: sandbox
site: ./site.yaml
"""
WORDS = {"pipe": "named pipe", "device": "device", "sparse": "more than"}
FILES = {
    "ppml.yaml": ["validate"],
    "site.yaml": ["validate"],
    "ppml.lock": ["status"],
    "ppml.vault": ["vault", "list"],
    "given.plan": ["apply", "given.plan"],
    "key.pem": ["enclave", "key", "key.pem"],
}


@pytest.mark.parametrize("kind", ["pipe", *(pytest.param(one, marks=pytest.mark.long) for one in ("device", "sparse"))])
@pytest.mark.parametrize("name", FILES)
def test_a_command_tells_what_is_in_the_place_of_its_file(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text(PPML)
    (tmp_path / "site.yaml").write_text("[]\n")
    (tmp_path / name).unlink(missing_ok=True)
    _put(kind, tmp_path / name)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "ppmlctl", *FILES[name]]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("error[") == 1
    assert "internal-error" not in done.stderr
    assert WORDS[kind] in done.stderr
    assert name in done.stderr


def _put(kind: str, path: Path) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(100 << 30)
