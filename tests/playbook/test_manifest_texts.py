"""Manifests with numbers and booleans where Kubernetes has text: each is told at its line, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ppmlctl.cli.main import run

Validated = Callable[[str], tuple[int, str]]
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


@pytest.fixture
def validated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Validated:
    """Validates an environment with this playbook: the exit code, and all that was said."""

    def validate(playbook: str) -> tuple[int, str]:
        (tmp_path / "ppml.yaml").write_text(ENVIRONMENT)
        (tmp_path / "site.yaml").write_text(playbook)
        monkeypatch.chdir(tmp_path)
        code = run(["validate"])
        told = capsys.readouterr()
        return code, told.out + told.err

    return validate


@pytest.mark.parametrize(("written", "kind"), NO_TEXTS.items())
def test_every_place_of_text_is_told_at_its_line(validated: Validated, written: str, kind: str) -> None:
    code, told = validated(MANIFEST % dict.fromkeys(GOOD, written))
    assert code == 1
    assert [place for place in PLACES.values() if f"site.yaml:{place}\n" not in told] == []
    assert told.count(f"it is {kind}, and must be text: write it in quotes") == len(PLACES)


def test_labels_of_pods_and_selectors_are_text_too(validated: Validated) -> None:
    code, told = validated(TEMPLATED)
    assert code == 1
    places = [line.split()[1] for line in told.splitlines() if line.startswith("  at ")]
    assert sorted(place.rpartition("site.yaml:")[2] for place in places) == ["11:36", "11:58", "12:39", "9:30"]


@pytest.mark.parametrize("written", ['"123"', "'true'", '"1.10"'])
def test_in_quotes_it_is_text(validated: Validated, written: str) -> None:
    code, told = validated(MANIFEST % {**GOOD, "name": written, "label": written, "annotation": written})
    assert code == 0, told


def test_a_map_without_values_is_no_fault(validated: Validated) -> None:
    code, told = validated(MANIFEST % {**GOOD, "label": "null", "annotation": '""'})
    assert code == 0, told
