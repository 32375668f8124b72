"""The example with an encrypted folder: what its pods would be given is there, and another key is another run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.place import Place, changed

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "reference").mkdir()
    (tmp_path / "quickstart").symlink_to(EXAMPLES / "quickstart")
    (tmp_path / "reference/ppml.yaml").write_text((EXAMPLES / "reference/encrypted-fs.yaml").read_text())
    place = Place(tmp_path / "reference", {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"})
    yield place
    process.down(place.sandbox)


def template(place: Place) -> dict[str, Any]:
    """The executors' template of the run that was submitted last."""
    maps = json.loads(place.kubectl("get", "configmaps", "-o", "json"))["items"]
    newest = max((m for m in maps if "executor.yaml" in m["data"]), key=lambda m: int(m["metadata"]["resourceVersion"]))
    return dict(json.loads(newest["data"]["executor.yaml"]))


def test_the_key_is_made_before_the_run_and_a_rotated_one_runs_it_again(place: Place) -> None:
    planned = place.run("plan")
    assert "note: report: EHSM's app id and api key are variables inside the pods with the encrypted folder" in (
        planned.stdout + planned.stderr
    )
    place.apply()
    spec = template(place)["spec"]
    secrets = {volume["name"]: volume.get("secret", {}).get("secretName") for volume in spec["volumes"]}
    kept = json.loads(place.kubectl("get", "secret", secrets["data-key"], "-o", "json"))["data"]
    assert sorted(kept) == ["encrypted_data_key", "encrypted_primary_key"]
    assert kept["encrypted_data_key"] not in json.dumps(template(place))
    done = place.run("plan", "--rotate", "ehsm-data-key.warehouse", "-o", "json")
    follows = changed(json.loads(done.stdout))
    assert set(follows) == {"ehsm-data-key.warehouse", "data-key.warehouse", "workload.report"}
    recap = place.apply("--rotate", "ehsm-data-key.warehouse")["recap"]
    assert (recap["changed"], recap["failed"]) == (3, 0)
    assert place.plan()[0] == 0
