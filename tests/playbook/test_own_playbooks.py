"""Playbooks of the user's own stand beside the shipped ones, whatever their files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.cli.main import run

ENVIRONMENT = "version: 1\nname: own\ntarget: sandbox\nkeys: {}\nplaybooks: [%s]\n"
OWN = "- name: own-key\n  enclave_key: {path: own.pem}\n"


@pytest.mark.parametrize("name", ["own.yaml", "site.yaml"])
def test_a_playbook_of_any_name_adds_to_the_shipped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "ppml.yaml").write_text(ENVIRONMENT % name)
    (tmp_path / name).write_text(OWN)
    assert run(["graph", "-f", str(tmp_path / "ppml.yaml")]) == 0
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {"own-key", "tls-keystore"} <= shown


def test_tasks_that_need_each_other_in_a_circle_are_told_by_validate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ppml.yaml").write_text(ENVIRONMENT % "own.yaml")
    (tmp_path / "own.yaml").write_text(f"- block:\n  {OWN.replace(chr(10), chr(10) + '  ')}\n  needs: [own-key]\n")
    assert run(["validate", "-f", str(tmp_path / "ppml.yaml")]) == 1
    assert "error[task-cycle]" in capsys.readouterr().err
