"""An environment that an earlier release applied has the same tasks, edges, arguments and runs with this one.

The lockfiles were written by that release; nothing else of its world is looked at, so secrets are left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.engine.options import Options
from ppmlctl.engine.session import Session
from ppmlctl.flows.spark.arguments import run_digest
from ppmlctl.secret import Secret

BEFORE = Path(__file__).parent / "lockfiles_of_before"


@pytest.fixture(params=["attested", "encrypted"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Session:
    folder = shutil.copytree(BEFORE / request.param, tmp_path / "env")
    (folder / "base").mkdir()
    return Session(Options(file=folder / "ppml.yaml", writes_allowed=False))


def without_secrets(value: Any) -> Any:
    """The value with `$digest` as the mark of any secret: the keys are not here, so nothing else can be said."""
    if isinstance(value, Mapping):
        return "a secret" if "$digest" in value else {name: without_secrets(member) for name, member in value.items()}
    return [without_secrets(member) for member in value] if isinstance(value, list) else value


def test_every_task_wants_what_was_recorded(session: Session) -> None:
    recorded = session.store.lockfile.recorded(Secret)
    results = {address: entry.result for address, entry in recorded.items()}
    tasks = {task.address: task for task in session.expanded.tasks}
    assert tasks.keys() == recorded.keys()
    for address, task in tasks.items():
        args = task.arguments(results)
        inputs = session.modules[task.module].fingerprint(args, lambda _: "")
        assert without_secrets(inputs) == without_secrets(recorded[address].inputs), address
        assert sorted(task.needs) == sorted(recorded[address].needs), address
        if task.module == "spark_submit":
            assert run_digest(args) == recorded[address].result["digest"]
