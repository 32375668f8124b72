"""`ppmlctl init` begins an environment that can be planned at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.cli.commands.init import init
from ppmlctl.diagnostics import InputError
from ppmlctl.engine import Options, Session


@pytest.mark.parametrize("name", ["analytics", "My Env", "42_x", "ä", "a" * 80])
def test_what_it_writes_is_valid_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    init(tmp_path / name, as_json=False)
    session = Session(Options(tmp_path / name / "ppml.yaml"))
    assert session.plan().summary()["create"] > 5
    assert (tmp_path / name / "ppml.schema.json").stat().st_size > 1000


def test_an_existing_file_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text("mine")
    with pytest.raises(InputError) as caught:
        init(tmp_path, as_json=False)
    assert caught.value.diagnostics[0].code == "init-exists"
    assert (tmp_path / "ppml.yaml").read_text() == "mine"


def test_every_commented_section_is_valid_when_it_is_taken_in(tmp_path: Path) -> None:
    init(tmp_path, as_json=False)
    text = (tmp_path / "ppml.yaml").read_text()
    head, _, rest = text.partition("# images:")
    taken = "images:" + rest.replace("\n# ", "\n").replace("\n#\n", "\n\n")
    (tmp_path / "ppml.yaml").write_text(head + taken)
    (tmp_path / "base").mkdir()
    assert Session(Options(tmp_path / "ppml.yaml")).environment.workloads[0].name == "spark-pi"
