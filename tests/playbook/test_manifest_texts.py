"""Manifests with numbers and booleans where Kubernetes has text: each is told at its line, before anything is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = """\
version: 1
name: preview
target: sandbox
playbooks: [site.yaml]
"""
MANIFEST = """\
- name: notes
  k8s_object:
    manifest:
      apiVersion: %(apiVersion)s
      kind: %(kind)s
      metadata:
        name: %(name)s
        namespace: %(namespace)s
        labels: {part: %(label)s}
        annotations: {told: %(annotation)s}
"""
TEMPLATED = """\
- name: mill
  k8s_object:
    manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: mill, namespace: default}
      spec:
        selector:
          matchLabels: {app: 1}
        template:
          metadata: {labels: {app: 1}, annotations: {on: true}}
          spec: {nodeSelector: {zone: 2}, containers: [{name: c, image: c}]}
"""
GOOD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "name": "notes",
    "namespace": "default",
    "label": "a",
    "annotation": "b",
}
PLACES = {
    "apiVersion": "4:19  [0].k8s_object.manifest.apiVersion",
    "kind": "5:13  [0].k8s_object.manifest.kind",
    "name": "7:15  [0].k8s_object.manifest.metadata.name",
    "namespace": "8:20  [0].k8s_object.manifest.metadata.namespace",
    "label": "9:24  [0].k8s_object.manifest.metadata.labels.part",
    "annotation": "10:29  [0].k8s_object.manifest.metadata.annotations.told",
}
NO_TEXTS = {"123": "a number", "1.10": "a number", "0": "a number", "true": "a boolean", "{}": "no text"}


def validated(folder: Path, playbook: str) -> subprocess.CompletedProcess[str]:
    (folder / "ppml.yaml").write_text(ENVIRONMENT)
    (folder / "site.yaml").write_text(playbook)
    command = [sys.executable, "-m", "ppmlctl", "validate"]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("written", "kind"), NO_TEXTS.items())
def test_every_place_of_text_is_told_at_its_line(tmp_path: Path, written: str, kind: str) -> None:
    done = validated(tmp_path, MANIFEST % dict.fromkeys(GOOD, written))
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert [place for place in PLACES.values() if f"site.yaml:{place}\n" not in told] == []
    assert told.count(f"it is {kind}, and must be text: write it in quotes") == len(PLACES)


def test_labels_of_pods_and_selectors_are_text_too(tmp_path: Path) -> None:
    done = validated(tmp_path, TEMPLATED)
    told = done.stdout + done.stderr
    assert done.returncode == 1
    places = [line.split()[1] for line in told.splitlines() if line.startswith("  at ")]
    assert sorted(place.rpartition("site.yaml:")[2] for place in places) == ["11:36", "11:58", "12:39", "9:30"]


@pytest.mark.parametrize("written", ['"123"', "'true'", '"1.10"'])
def test_in_quotes_it_is_text(tmp_path: Path, written: str) -> None:
    done = validated(tmp_path, MANIFEST % {**GOOD, "name": written, "label": written, "annotation": written})
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_map_without_values_is_no_fault(tmp_path: Path) -> None:
    done = validated(tmp_path, MANIFEST % {**GOOD, "label": "null", "annotation": '""'})
    assert done.returncode == 0, done.stdout + done.stderr
