"""A first apply that asks for what is not there is refused before anything is made for the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.cli.main import run

ASKED = {
    "rotation-unknown": ["--rotate", "nothing"],
    "replace-unknown": ["--replace", "nothing"],
    "tag-unknown": ["--tags", "nothing"],
}


@pytest.mark.parametrize("code", ASKED)
def test_nothing_is_left_behind(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    Path("ppml.yaml").write_text("version: 1\nname: a\ntarget: sandbox\nplaybooks: [site.yaml]\n")
    Path("site.yaml").write_text("- {name: kept, vault_secret: {name: kept}, tags: [some]}\n")
    before = {path.name for path in tmp_path.iterdir()}
    assert run(["apply", "--yes", *ASKED[code]]) == 1
    assert f"error[{code}]" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} - {".ppml"} == before
