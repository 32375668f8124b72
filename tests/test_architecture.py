"""The module on the last page of ARCHITECTURE.md works as it stands there: one file, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PPML = "version: 1\nname: notices\ntarget: sandbox\nsite: ./site.yaml\nvars: {words: hello}\n"
SITE = """\
- name: welcome
  notice: {path: welcome.txt, text: "{{ words }}"}
  register: welcome
- name: echo
  notice: {path: echo.txt, text: "{{ welcome.text }} again"}
- outputs: {said: "{{ welcome.text }}"}
"""
RUN = """\
import sys
from pathlib import Path
import ppmlctl.modules
ppmlctl.modules.__path__.append(sys.argv[1])
from ppmlctl.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text(), re.DOTALL)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "notice.py").write_text(code)
    (tmp_path / "ppml.yaml").write_text(PPML)
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


def ppmlctl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", RUN, str(folder / "modules"), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.long
def test_the_documented_module_goes_through_its_whole_life(folder: Path) -> None:
    assert ppmlctl(folder, "plan").returncode == 2
    applied = ppmlctl(folder, "apply", "--yes", "-o", "json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert json.loads(applied.stdout.splitlines()[-1])["outputs"] == {"said": "hello"}
    assert (folder / "echo.txt").read_text() == "hello again"
    assert ppmlctl(folder, "plan").returncode == 0
    (folder / "welcome.txt").write_text("scribbled over")
    drifted = ppmlctl(folder, "plan")
    assert drifted.returncode == 2
    assert "text: scribbled over → hello" in drifted.stdout
    assert ppmlctl(folder, "apply", "--yes").returncode == 0
    assert ppmlctl(folder, "destroy", "--yes").returncode == 0
    assert not (folder / "welcome.txt").exists()
    ppmlctl(folder, "sandbox", "down")


def test_the_contract_suite_picks_the_documented_module_up_by_itself(folder: Path) -> None:
    suite = ROOT / "tests" / "contract" / "test_modules_contract.py"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PPMLCTL_MORE_MODULES": str(folder / "modules"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "notice", str(suite)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert re.search(r"[1-9]\d* passed", done.stdout)
