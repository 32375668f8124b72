"""`cluster.storage`: a volume on an NFS export with its claim, whose data outlives the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

PPML = """
version: 1
name: stored
target: sandbox
keys: {}
cluster: {namespace: room, storage: {claim: data, nfs: {server: nfs.example.com, path: /exports/ppml, size: 1Gi}}}
"""


def phases(place: Place) -> dict[str, str]:
    items = json.loads(place.kubectl("get", "pv,pvc", "-A", "-o", "json"))["items"]
    return {item["metadata"]["name"]: item["status"]["phase"] for item in items}


def test_a_volume_is_kept_at_removal_and_bound_again(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "ppml.yaml").write_text(PPML)
    place = Place(folder, {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"})
    place.apply()
    try:
        assert phases(place) == {"stored-room-data": "Bound", "data": "Bound"}
        assert place.plan()[0] == 0
        told = place.succeed("destroy", "--yes")
        assert "PersistentVolume stored-room-data" in told
        assert phases(place) == {"stored-room-data": "Released"}
        code, plan = place.plan()
        reasons = {action["address"]: (action["action"], action["reasons"]) for action in plan["actions"]}
        assert (code, reasons["data-volume"]) == (2, ("replace", ["its claim is gone; its data stays"]))
        place.apply()
        assert phases(place) == {"stored-room-data": "Bound", "data": "Bound"}
    finally:
        process.down(place.sandbox)
