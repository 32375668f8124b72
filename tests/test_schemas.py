"""The committed schemas are what the code says, and what the code reads and writes fits them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from committed import ROOT, assert_committed
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from ppmlctl.cli.app import SchemaName
from ppmlctl.evidence import Evidence
from ppmlctl.flows.registry import language
from ppmlctl.modules.registry import Registry, kinds
from ppmlctl.planning import Recorded
from ppmlctl.planning.diff import SECRET
from ppmlctl.playbook import schema as playbook_schema
from ppmlctl.playbook.words import BLOCK_KEYS, FILE_KEYS, IMPORT_KEYS, OUTPUTS_KEYS, TASK_KEYS
from ppmlctl.secret import Secret
from ppmlctl.spec import schema as ppml_schema
from ppmlctl.state import LockStore
from ppmlctl.state import schema as lock_schema

GENERATORS: dict[str, Callable[[], dict[str, Any]]] = {
    "ppml": lambda: ppml_schema.json_schema(language().environment),
    "playbook": lambda: playbook_schema.json_schema(Registry()),
    "lock": lock_schema.json_schema,
}


def faults(value: Any, schema: dict[str, Any]) -> list[str]:
    """Where a value does not fit its schema."""
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    text = json.dumps(GENERATORS[name](), indent=2, ensure_ascii=False) + "\n"
    assert_committed(f"schemas/{name}.schema.json", text)


def test_every_schema_can_be_printed() -> None:
    assert {name.value for name in SchemaName} == GENERATORS.keys()


def test_a_playbook_may_say_what_the_schema_says() -> None:
    schema = GENERATORS["playbook"]()
    entries = schema["$defs"]["Entries"]["items"]["anyOf"]
    (file,) = [one for one in schema["anyOf"] if "properties" in one]
    known = [IMPORT_KEYS, OUTPUTS_KEYS, BLOCK_KEYS, (*TASK_KEYS, *kinds()), FILE_KEYS]
    assert [set(one["properties"]) for one in (*entries, file)] == [set(keys) for keys in known]


@pytest.mark.parametrize("name", GENERATORS)
def test_every_reference_inside_a_schema_leads_somewhere(name: str) -> None:
    schema = GENERATORS[name]()
    wrong = [target for target in _references(schema) if target.removeprefix("#/$defs/") not in schema["$defs"]]
    assert wrong == []


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for member in node.values():
            yield from _references(member)
    elif isinstance(node, list):
        for member in node:
            yield from _references(member)


def test_every_module_is_described_by_its_first_words() -> None:
    definitions = GENERATORS["playbook"]()["$defs"]
    assert [kind for kind in kinds() if not definitions[kind].get("description")] == []


def test_the_schemas_stand_where_the_command_looks_for_them() -> None:
    assert {path.name for path in (ROOT / "schemas").iterdir()} == {f"{name}.schema.json" for name in GENERATORS}


FILES = {
    "ppml": sorted(ROOT.glob("examples/**/ppml.yaml")),
    "playbook": sorted(ROOT.glob("playbooks/*.yaml")),
}


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in FILES.items() for path in paths])
def test_a_shipped_file_fits_its_schema(name: str, path: Path) -> None:
    assert faults(YAML(typ="safe", pure=True).load(path), GENERATORS[name]()) == []


WRONG_PLAYBOOKS = {
    "no name": [{"enclave_key": {"path": "k"}}],
    "no module": [{"name": "a"}],
    "two modules": [{"name": "a", "enclave_key": {"path": "k"}, "vault_secret": {"name": "s"}}],
    "an unknown key": [{"name": "a", "enclave_key": {"path": "k"}, "whem": "x"}],
    "an unknown argument": [{"name": "a", "enclave_key": {"path": "k", "size": 1}}],
    "a wrong type": [{"name": "a", "vault_secret": {"name": "s", "length": "long"}}],
    "an import with more": [{"import": "x.yaml", "title": "x"}],
    "a block with a name": [{"block": [{"name": "a", "enclave_key": {"path": "k"}}], "name": "b"}],
    "a wrong task in a block": [{"block": [{"name": "a", "enclave_key": {"path": "k"}, "whem": "x"}]}],
    "a block without tasks": [{"block": []}],
    "tags that are no list": [{"name": "a", "enclave_key": {"path": "k"}, "tags": 5}],
    "a file with a name": {"tasks": [{"name": "a", "enclave_key": {"path": "k"}}], "name": "b"},
    "a file without tasks": {"when": "x"},
}


@pytest.mark.parametrize("case", WRONG_PLAYBOOKS)
def test_a_wrong_playbook_does_not_fit(case: str) -> None:
    assert faults(WRONG_PLAYBOOKS[case], GENERATORS["playbook"]())


def test_a_written_lockfile_fits_its_schema(tmp_path: Path) -> None:
    store = LockStore.open(tmp_path / "ppml.lock")
    store.identify(name="test", target="cluster", engines={"kubernetes": "uid"})
    store.begin("account", {"operation": "Enroll"})
    inputs = {"password": {SECRET: "0a"}, "nested": {"list": [1, None, "x"]}}
    result = {"path": "k", "key": Secret("x", handle="file:keys/server.key")}
    store.record("keys", Recorded("tls_keystore", inputs, result, ("a",), Evidence.VERIFIED, protect=True))
    written = YAML(typ="safe", pure=True).load(tmp_path / "ppml.lock")
    assert faults(written, GENERATORS["lock"]()) == []
    written["tasks"]["keys"]["result"]["key"] = {"$secret": "hunter2"}
    assert faults(written, GENERATORS["lock"]())
