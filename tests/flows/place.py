"""Whole commands, as a user types them, on a copy of the quickstart with a sandbox of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terminal import Terminal

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
PPMLCTL = [sys.executable, "-m", "ppmlctl"]


@dataclass
class Place:
    """A folder with a ppml.yaml, and the commands that are run in it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs ppmlctl without a terminal; what it prints and its exit code."""
        environment = {**os.environ, **self.variables, **variables}
        return subprocess.run(
            [*PPMLCTL, *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def type(self, *words: str) -> Terminal:
        """Runs ppmlctl at a terminal."""
        return Terminal([*PPMLCTL, *words], self.folder, {**os.environ, **self.variables})

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Starts ppmlctl and goes on; its output is dropped."""
        environment = {**os.environ, **self.variables}
        quiet = subprocess.DEVNULL
        return subprocess.Popen([*PPMLCTL, *words], cwd=self.folder, env=environment, stdout=quiet, stderr=quiet)

    def succeed(self, *words: str, **variables: str) -> str:
        """Runs a command that must end with 0; its stdout."""
        done = self.run(*words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, *words: str) -> dict[str, Any]:
        """Applies; the last line of JSON."""
        return json.loads(self.succeed("apply", "--yes", "-o", "json", *words).splitlines()[-1])

    def plan(self) -> tuple[int, dict[str, Any]]:
        """Plans; exit code and JSON."""
        done = self.run("plan", "-o", "json")
        return done.returncode, json.loads(done.stdout)

    @property
    def lockfile(self) -> bytes:
        return (self.folder / "ppml.lock").read_bytes()

    @property
    def sandbox(self) -> Path:
        return self.folder / ".ppml" / "sandbox"

    def requests(self) -> list[dict[str, Any]]:
        """What the sandbox's servers were asked, from their own log."""
        log = self.sandbox / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def edit(self, old: str, new: str) -> None:
        """Changes ppml.yaml."""
        text = (self.folder / "ppml.yaml").read_text()
        assert old in text
        (self.folder / "ppml.yaml").write_text(text.replace(old, new))

    def kubectl(self, *words: str) -> str:
        """Runs the kubectl of this machine against the sandbox."""
        kubeconfig = str(self.sandbox / "kubeconfig")
        done = subprocess.run(
            ["kubectl", "--kubeconfig", kubeconfig, *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def changed(plan: dict[str, Any]) -> dict[str, str]:
    """What a plan would do, by address."""
    return {action["address"]: action["action"] for action in plan["actions"] if action["action"] != "keep"}


def make_place(folder: Path) -> Place:
    """A fresh copy of the quickstart, without what an earlier run may have left beside the original."""
    ignored = shutil.ignore_patterns("ppml.lock", "ppml.vault", "keys", ".ppml")
    shutil.copytree(QUICKSTART, folder / "env", ignore=ignored)
    return Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})
