"""A task with another name keeps what it made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

TASKS = """
- name: room
  k8s_object:
    manifest: {apiVersion: v1, kind: Namespace, metadata: {name: room}}
  register: room
- name: settings
  k8s_object:
    manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: "{{ room.name }}"}, data: {a: "1"}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "ppml.yaml").write_text("version: 1\nname: renamed\ntarget: sandbox\nplaybooks: [tasks.yaml]\n")
    (folder / "tasks.yaml").write_text(TASKS)
    return Place(folder, {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"})


def uids(place: Place) -> list[str]:
    words = ("get", "namespace/room", "configmap/c", "-n", "room", "-o", "json")
    return [item["metadata"]["uid"] for item in json.loads(place.kubectl(*words))["items"]]


def test_a_renamed_namespace_is_not_removed_with_all_that_is_in_it(place: Place) -> None:
    place.apply()
    try:
        before = uids(place)
        text = TASKS.replace("name: room\n  k8s", "name: hall\n  k8s").replace("name: settings", "name: config")
        (place.folder / "tasks.yaml").write_text(text)
        code, plan = place.plan()
        assert code == 2
        assert {a["address"]: (a["action"], a["reasons"][0]) for a in plan["actions"]} == {
            "hall": ("update", "moved from room"),
            "config": ("update", "moved from settings"),
        }
        place.apply()
        assert uids(place) == before
        assert place.plan()[0] == 0
        assert b"\n  hall:" in place.lockfile
        assert b"\n  room:" not in place.lockfile
    finally:
        process.down(place.sandbox)
