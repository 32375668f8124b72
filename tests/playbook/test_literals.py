"""Secrets that stand in playbooks are told at their place, and let pass where ppml.yaml says that they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.modules.registry import kinds, module
from ppmlctl.playbook import check_literals, parse
from ppmlctl.shipped import playbook_path

TEXT = """\
- name: settings
  k8s_object:
    manifest:
      kind: ConfigMap
      data: {password: hunter2, greeting: hello, url: "https://u:hunter2@host", secretName: ssl-keys}
- name: pod
  k8s_object:
    manifest:
      spec:
        imagePullSecrets: [{name: registry}]
        containers:
          - env:
              - {name: DB_PASSWORD, value: hunter2}
              - {name: DB_TOKEN, value: "{{ db.token }}"}
              - {name: API_KEY, valueFrom: {secretKeyRef: {name: a, key: b}}}
        volumes: [{secret: {secretName: ssl-keys}}]
  vars: {api_key: hunter2}
"""


def told(text: str, folder: Path, *allowed: str) -> list[str]:
    (folder / "site.yaml").write_text(text)
    playbook = parse({folder / "site.yaml": "site.yaml"}, kinds())
    try:
        check_literals(playbook, allowed)
    except InputError as error:
        return [f"{finding.at}: {finding.found}" for finding in error.diagnostics]
    return []


def test_each_is_told_at_its_place(tmp_path: Path) -> None:
    assert told(TEXT, tmp_path) == [
        "site.yaml:5:24  [0].k8s_object.manifest.data.password: password",
        "site.yaml:5:55  [0].k8s_object.manifest.data.url: a password in a URL",
        "site.yaml:13:44  [1].k8s_object.manifest.spec.containers[0].env[0].value: DB_PASSWORD",
        "site.yaml:17:19  [1].vars.api_key: api_key",
    ]


def test_those_that_a_loop_or_outputs_hand_on_are_told_too(tmp_path: Path) -> None:
    text = "- name: settings\n  k8s_object: {}\n  loop: [a, {url: 'https://u:hunter2@host'}]\n"
    assert told(f"{text}- outputs: {{password: hunter2, greeting: hello}}\n", tmp_path) == [
        "site.yaml:3:19  [0].loop[1].url: a password in a URL",
        "site.yaml:4:23  [1].outputs.password: password",
    ]


def test_what_is_none_can_be_named(tmp_path: Path) -> None:
    assert told(TEXT, tmp_path, "password", "a password in a URL", "DB_PASSWORD", "api_key") == []


@pytest.mark.parametrize("name", sorted(path.name for path in playbook_path("site.yaml").parent.glob("*.yaml")))
def test_the_shipped_playbooks_hold_none(name: str) -> None:
    check_literals(parse({playbook_path(name): name}, kinds(), lambda kind: module(kind).in_files), ())
