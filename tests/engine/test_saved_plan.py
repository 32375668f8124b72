"""The file of a saved plan: what is no such file is told in one message, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.engine.plan_identity import ActionIdentity, PlanIdentity
from ppmlctl.engine.saved_plan import VERSION, read_plan

ACTION = ActionIdentity(
    address="space", module="k8s_object", action="create", conditional=False, needs=[], inputs={}, observed=None
)
PLAN = PlanIdentity(
    name="shared",
    target="cluster",
    environment="",
    cluster={},
    serial=0,
    lockfile="",
    declaration="d" * 64,
    rotate=[],
    actions=[ACTION],
)
CONTENT: dict[str, Any] = {"version": VERSION, **PLAN.model_dump(mode="json")}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        read_plan(path)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "saved-plan"
    assert diagnostic.found.startswith(f"{path}: ")
    return diagnostic.found.removeprefix(f"{path}: ")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "next.plan"
    path.write_text(json.dumps(CONTENT))
    assert read_plan(path) == PLAN


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "this ppmlctl has not written it"),
        (b'{"version": 1}', "this ppmlctl has not written it"),
        (b'{"version": 2}', "name is not what ppmlctl writes"),
    ],
)
def test_what_is_no_saved_plan_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "next.plan"
    path.write_bytes(content)
    assert refusal(path) == told


@pytest.mark.parametrize("name", sorted(set(CONTENT) - {"version"}))
def test_every_part_is_checked_for_its_shape(tmp_path: Path, name: str) -> None:
    path = tmp_path / "next.plan"
    path.write_text(json.dumps({**CONTENT, name: [[5]]}))
    assert refusal(path).startswith(name)
    path.write_text(json.dumps({**CONTENT, "more": 1}))
    assert refusal(path) == "more is not what ppmlctl writes"


def test_a_missing_file_is_told_as_that(tmp_path: Path) -> None:
    assert refusal(tmp_path / "next.plan") == "No such file or directory"
