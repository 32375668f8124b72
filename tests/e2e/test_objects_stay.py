"""Objects that a server stores otherwise than they were sent, applied three times: each stays the one it was."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.skipif("KUBECONFIG" not in os.environ, reason="no real cluster")]

CASES = Path(__file__).parent / "object_cases"
ENVIRONMENT = "version: 1\nname: stay\ntarget: cluster\ncluster: {{namespace: {}}}\nplaybooks: [{}]\n"
ABROAD = ["clusterrole/SPACE-reader", "crd/barges.SPACE.example.com", "crd/wagons.SPACE.example.com"]
ABROAD += ["pv/SPACE-volume", "priorityclass/SPACE-urgent"]
"""What lives in no namespace, or holds data and so stays where the environment goes."""


@dataclass(frozen=True)
class Place:
    """A folder with all cases, in a namespace of their own."""

    folder: Path
    space: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ppmlctl", *words]
        environment = {**os.environ, "PPML_VAULT_PASSWORD": "of this test", "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def apply(self) -> None:
        done = self.run("apply", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr

    def kubectl(self, *words: str, given: str = "") -> str:
        return subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, check=True).stdout

    def identities(self) -> dict[str, tuple[str, ...]]:
        """What tells each object from one of the same name that was made later, and what it was given."""
        inside = "service,job,pvc,configmap,statefulset,barges.v1.SPACE.example.com"
        words = ("get", "-n", self.space, self.named(inside), "-o", "json")
        found = json.loads(self.kubectl(*words))["items"]
        found += json.loads(self.kubectl("get", *map(self.named, ABROAD), "-o", "json"))["items"]
        return {f"{one['kind']} {one['metadata']['name']}": _identity(one) for one in found}

    def named(self, text: str) -> str:
        return text.replace("SPACE", self.space)


def _identity(live: dict[str, Any]) -> tuple[str, ...]:
    spec = live.get("spec") or {}
    return live["metadata"]["uid"], str(spec.get("clusterIP")), json.dumps(live.get("binaryData"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, f"stay-{secrets.token_hex(4)}")
    files = sorted(CASES.glob("*.yaml"))
    (tmp_path / "ppml.yaml").write_text(ENVIRONMENT.format(made.space, ", ".join(file.name for file in files)))
    for file in files:
        (tmp_path / file.name).write_text(made.named(file.read_text()))
    yield made
    subprocess.run(
        ["kubectl", "delete", "--ignore-not-found", "--wait=false", *map(made.named, ["ns/SPACE", *ABROAD])],
        capture_output=True,
        check=False,
    )


def test_objects_stay_who_they_were(place: Place) -> None:
    place.apply()
    barge = {"apiVersion": f"{place.space}.example.com/v1", "kind": "Barge", "metadata": {"name": "ours"}}
    place.kubectl("create", "-n", place.space, "-f", "-", given=json.dumps({**barge, "spec": {"tons": 7}}))
    before = place.identities()
    assert {
        "Barge ours",
        "ConfigMap 4711",
        "ConfigMap blob",
        "Job import",
        "Job once",
        "PersistentVolumeClaim store",
        "Service front",
        "StatefulSet press",
    } <= before.keys()
    for _ in range(2):
        place.apply()
        assert place.identities() == before
    place.kubectl("delete", "job", "once", "-n", place.space)  # as the cluster does once it has ended
    plan = place.run("plan", "-o", "json")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    actions = json.loads(plan.stdout)["actions"]
    assert actions
    assert {one["action"] for one in actions} == {"keep"}
    place.apply()
    del before["Job once"]
    assert place.identities() == before
