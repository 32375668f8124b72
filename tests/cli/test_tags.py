"""`--tags` and `--skip-tags`: what is planned, what stays as it is, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.cli.main import run

TASKS = """\
- import: keys.yaml
  tags: [keys]
- name: user
  vault_secret: {name: user, value: "{{ base.value }}-used"}
  tags: [use]
- name: apart
  vault_secret: {name: apart}
- name: rare
  vault_secret: {name: rare}
  tags: [never, seldom]
- name: each
  vault_secret: {name: each}
  tags: [always]
- name: absent
  when: false
  vault_secret: {name: absent}
  tags: [absent]
"""
KEYS = """\
tasks:
  - name: base
    vault_secret: {name: base, env: BASE}
    register: base
  - block:
      - name: late
        vault_secret: {name: late}
    tags: [deep]
"""


class Shell:
    """The command line in one environment."""

    def __init__(self, folder: Path, read: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.file = str(folder / "ppml.yaml")
        self._read = read

    def __call__(self, *words: str, code: int) -> str:
        found = run([*words, "-f", self.file])
        out, err = self._read.readouterr()
        assert found == code, out + err
        return out + err

    def planned(self, *words: str) -> dict[str, str]:
        run(["plan", "-o", "json", *words, "-f", self.file])
        self.told: dict[str, Any] = json.loads(self._read.readouterr().out)
        return {one["address"]: one["action"] for one in self.told["actions"]}

    def recorded(self) -> set[str]:
        run(["status", "-o", "json", "-f", self.file])
        return {line.strip(":") for line in (self.folder / "ppml.lock").read_text().split() if line.strip(":") in NAMES}


NAMES = {"base", "late", "user", "apart", "rare", "each"}


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("BASE", "first")
    monkeypatch.setenv("PPML_VAULT_PASSWORD", "for-tests-alone")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: tagged\ntarget: cluster\nsite: site.yaml\n")
    (tmp_path / "site.yaml").write_text(TASKS)
    (tmp_path / "keys.yaml").write_text(KEYS)
    return Shell(tmp_path, capsys)


def test_an_apply_by_tags_makes_that_alone_removes_nothing_and_says_so(shell: Shell) -> None:
    assert shell.planned("--tags", "use")
    assert shell.told["selection"] == {
        "tags": ["use"],
        "skip_tags": [],
        "included": ["base"],
        "left_out": ["late", "apart", "rare"],
    }
    said = shell("apply", "--yes", "--tags", "use", code=0)
    assert (
        "Restricted by --tags use. Nothing is removed.\n"
        "Planned too, since it is needed: 1 task (base).\n"
        "Left out, and stays as it is: 3 tasks (late, apart, rare).\n"
    ) in said
    assert "Left out by --tags use: 3 tasks (late, apart, rare)" in said
    assert shell.recorded() == {"base", "user", "each"}
    assert "No changes. 3 as recorded, 3 left out." in shell("plan", "--tags", "use", code=0)
    shell("apply", "--yes", code=0)
    (shell.folder / "keys.yaml").write_text(KEYS.partition("  - block")[0])
    assert shell.planned("--tags", "use") == {"base": "keep", "user": "keep", "each": "keep"}
    assert shell.planned("--skip-tags", "use") == {"base": "keep", "apart": "keep", "each": "keep"}
    assert shell.planned()["late"] == "delete"
    assert json.loads(shell("apply", "--yes", "--tags", "use", "-o", "json", code=0).splitlines()[-1])["recap"][
        "left_out"
    ] == ["apart", "rare"]
    assert "late" in shell.recorded()


def test_what_only_a_request_makes_stays_in_a_plan_without_the_request(shell: Shell) -> None:
    shell("apply", "--yes", "--tags", "seldom", code=0)
    said = shell("plan", code=2)
    assert "Left out, tagged `never`, and stays as it is: 1 task (rare).\n" in said
    assert "rare" not in shell.planned()
    shell("destroy", "--yes", code=0)
    assert shell.recorded() == set()


def test_what_is_needed_and_kept_out_must_be_there_unchanged(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    said = shell("plan", "--skip-tags", "keys", code=1)
    assert "error[tags-keep-out-needed]: tags keep out what a chosen task needs" in said
    assert "base: create (not there yet); user needs it" in said
    shell("apply", "--yes", code=0)
    assert shell.planned("--skip-tags", "keys")["base"] == "keep"
    assert "base" in shell.told["selection"]["left_out"]
    monkeypatch.setenv("BASE", "second")
    assert "base: update" in shell("plan", "--skip-tags", "keys", code=1)
    assert shell.planned("--skip-tags", "keys,use") == {"apart": "keep", "each": "keep"}
    assert shell.planned("--tags", "use")["base"] == "update"


def test_a_saved_plan_belongs_to_its_tags(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("apply", "--yes", "--tags", "always", code=0)
    saved = str(shell.folder / "next.plan")
    shell("plan", "--tags", "use", "--save", saved, code=2)
    assert "error[saved-plan-options]" in shell("apply", saved, "--tags", "keys", "--yes", code=1)
    assert "error[saved-plan-options]" in shell("apply", saved, "--skip-tags", "keys", "--yes", code=1)
    (shell.folder / "site.yaml").write_text(TASKS.replace("[use]", "[used]"))
    assert "error[tag-unknown]" in shell("apply", saved, "--yes", code=1)
    (shell.folder / "site.yaml").write_text(TASKS)
    shell("apply", saved, "--yes", code=0)
    assert shell.recorded() == {"base", "user", "each"}


def test_what_is_asked_for_by_name_cannot_be_left_out(shell: Shell) -> None:
    shell("apply", "--yes", code=0)
    said = shell("plan", "--tags", "use", "--rotate", "apart", code=1)
    assert "error[tags-leave-out-asked]" in said
    assert "--rotate apart" in said
    assert shell.planned("--tags", "untagged", "--rotate", "apart")["apart"] == "replace"


@pytest.mark.parametrize("option", ["--tags", "--skip-tags"])
def test_a_tag_that_no_task_has_is_told_once_with_those_there_are(shell: Shell, option: str) -> None:
    said = shell("plan", option, "kyes,nothing", code=1)
    assert said.count("error[") == 1
    assert "is   `kyes`, `nothing`\n  fix  did you mean `keys`?\n" in said
    assert "tags: absent, deep, keys, seldom, use; and all, always, never, tagged, untagged" in said
    assert "error[tags-empty]" in shell("plan", option, ",", code=1)
